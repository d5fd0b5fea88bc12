using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// Draws messages of any type from its descriptor: what is added to the contracts is drawn without a change here.
/// </summary>
internal sealed class MessageSource(Random random, IReadOnlyList<long> sessions)
{
    private const int DepthMax = 6;

    public T Draw<T>() where T : IMessage<T>, new() => (T)Draw(new T().Descriptor, depth: 0);

    private IMessage Draw(MessageDescriptor type, int depth)
    {
        IMessage message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (FieldDescriptor field in type.Fields.InDeclarationOrder())
            if (field.RealContainingOneof is null && !random.OneIn(4))
                Fill(message, field, depth);
        foreach (OneofDescriptor choice in type.Oneofs)
            if (!choice.IsSynthetic && !random.OneIn(20))
                Fill(message, random.Pick<FieldDescriptor>([.. choice.Fields]), depth);
        return message;
    }

    private void Fill(IMessage message, FieldDescriptor field, int depth)
    {
        if (depth == DepthMax)
            return;
        if (!field.IsRepeated)
        {
            field.Accessor.SetValue(message, Value(field, depth));
            return;
        }
        if (field.IsMap)
            throw new NotSupportedException($"{field.FullName}: maps are not drawn yet.");
        var list = (IList)field.Accessor.GetValue(message);
        for (int i = random.OneIn(200) ? 300 : random.Next(4); i > 0; i--)
            list.Add(Value(field, depth));
    }

    private object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Message => Draw(field.MessageType, depth + 1),
        FieldType.String => FuzzValues.Name(random),
        FieldType.Bytes => ByteString.CopyFrom(
            field.Name == "nonce" && !random.OneIn(4) ? NonceBytes() : FuzzValues.Bytes(random)),
        FieldType.Bool => random.OneIn(2),
        FieldType.Double => BitConverter.Int64BitsToDouble(FuzzValues.Number(random)),
        FieldType.Float => BitConverter.Int32BitsToSingle((int)FuzzValues.Number(random)),
        FieldType.Enum => (int)FuzzValues.Number(random),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int)Number(field.Name),
        FieldType.UInt32 or FieldType.Fixed32 => (uint)Number(field.Name),
        FieldType.UInt64 or FieldType.Fixed64 => (ulong)Number(field.Name),
        _ => Number(field.Name),
    };

    // Requests with only random numbers in them would all be refused at the door.
    private long Number(string field)
    {
        if (random.OneIn(4))
            return FuzzValues.Number(random);
        if (field.EndsWith("session_id", StringComparison.Ordinal) || field == "session_ids")
            return random.OneIn(3) ? 0 : random.Pick(sessions);
        return field switch
        {
            "ttl_us" => random.Next(500_000, 2_000_000),
            _ when field.EndsWith("_us", StringComparison.Ordinal) => random.OneIn(3) ? random.Next(100_000) : 0,
            "answered_below" or "request_id" => random.Next(3),
            "group" => 0,
            "peer_id" or "to_peer_id" => random.Next(40),
            _ => FuzzValues.Number(random),
        };
    }

    private byte[] NonceBytes()
    {
        byte[] nonce = new byte[16];
        nonce[0] = (byte)random.Next(256);
        return nonce;
    }
}
