using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Http;

/// <summary>Reads a transaction from its JSON: what it lacks or has too much of is refused by name.</summary>
internal static class TransactionJson
{
    private const string DefaultContentType = "text/plain; charset=utf-8";

    public static Transaction Read(Fields fields)
    {
        var transaction = new Transaction();
        foreach (Fields compare in fields.List("compare"))
            transaction.Compares.Add(Checked(fields, compare, ReadCompare(compare)));
        foreach (Fields operation in fields.List("then"))
            transaction.Then.Add(Checked(fields, operation, ReadOperation(operation)));
        foreach (Fields operation in fields.List("else"))
            transaction.Else.Add(Checked(fields, operation, ReadOperation(operation)));
        return transaction;
    }

    private static T Checked<T>(Fields whole, Fields part, T read)
    {
        if (part.Finish() is { } refusal)
            whole.Refuse(refusal.Code, refusal.Message);
        return read;
    }

    private static Compare ReadCompare(Fields fields)
    {
        var compare = new Compare
        {
            Key = fields.Text("key") ?? "",
            Relation = fields.Choice("is", "=", "!=", "<", ">") switch
            {
                "!=" => CompareRelation.NotEqual,
                "<" => CompareRelation.Less,
                ">" => CompareRelation.Greater,
                _ => CompareRelation.Equal,
            },
        };
        // What is named second stays unread, and is refused.
        if (fields.Has("version"))
            compare.Version = fields.CountOrZero("version") ?? 0;
        else if (fields.Has("createRevision"))
            compare.CreateRevision = fields.CountOrZero("createRevision") ?? 0;
        else if (fields.Has("modifyRevision"))
            compare.ModifyRevision = fields.CountOrZero("modifyRevision") ?? 0;
        else if (fields.Has("exists"))
            compare.Exists = fields.Flag("exists") ?? false;
        else if (ReadValue(fields) is { } value)
            compare.Value = value;
        else
            fields.Refuse(ErrorCode.InvalidRequest,
                "A compare has one of: version, createRevision, modifyRevision, exists, value, valueBase64.");
        return compare;
    }

    private static ConfigOperation ReadOperation(Fields fields)
    {
        if (fields.Has("put"))
            return new ConfigOperation { Put = ReadPut(fields) };
        if (fields.Has("delete"))
            return new ConfigOperation { Delete = new DeleteConfig { Key = fields.Text("delete") ?? "" } };
        if (fields.Has("deletePrefix"))
            return new ConfigOperation { DeletePrefix = new DeletePrefix { Prefix = fields.Text("deletePrefix") ?? "" } };
        if (fields.Has("get"))
            return new ConfigOperation { Get = new ReadKey { Key = fields.Text("get") ?? "" } };
        if (fields.Has("txn") || fields.Has("then"))
            fields.Refuse(ErrorCode.NestedTransaction, "A transaction may not hold another one.");
        else
            fields.Refuse(ErrorCode.InvalidRequest, "An operation has one of: put, delete, deletePrefix, get.");
        return new ConfigOperation();
    }

    private static PutConfig ReadPut(Fields fields)
    {
        var put = new PutConfig
        {
            Key = fields.Text("put") ?? "",
            ContentType = fields.Text("contentType") ?? DefaultContentType,
            BindSession = fields.Flag("bindSession") ?? false,
        };
        if (!ConfigResource.IsMediaType(put.ContentType))
            fields.Refuse(ErrorCode.UnsupportedContentType, $"\"{put.ContentType}\" is not a media type.");
        if (ReadValue(fields) is { } value)
            put.Value = value;
        else
            fields.Refuse(ErrorCode.InvalidRequest, "A put has a \"value\" (text) or a \"valueBase64\".");
        return put;
    }

    private static ByteString? ReadValue(Fields fields)
    {
        if (fields.Has("value"))
            return ByteString.CopyFromUtf8(fields.Text("value") ?? "");
        if (!fields.Has("valueBase64"))
            return null;
        try
        {
            return ByteString.FromBase64(fields.Text("valueBase64") ?? "");
        }
        catch (FormatException)
        {
            fields.Refuse(ErrorCode.InvalidRequest, "\"valueBase64\" is not base64.");
            return ByteString.Empty;
        }
    }
}
