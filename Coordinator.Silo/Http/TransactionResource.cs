using System.Text.Json;
using Coordinator.Contracts;
using Google.Protobuf.Collections;

namespace Coordinator.Silo.Http;

/// <summary>/v1/txn: compares, and what to do if all hold, or else.</summary>
internal sealed class TransactionResource(CheckedGateway gateway)
{
    public IReadOnlyList<HttpRoute> Routes =>
        [new("POST", "/v1/txn", (context, target, _) => ExecuteAsync(context, target))];

    private async Task ExecuteAsync(HttpContext context, RequestTarget target)
    {
        // Values travel in it: as large as a request may be, not as other bodies.
        Fields fields = await JsonBody.ReadAsync(context, HttpInterfaceOptions.BodyBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: false, gateway.Groups);
        command.Transaction = TransactionJson.Read(fields);
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command, fields) is { } result)
            await Answers.WriteAsync(context, json => Write(json, gateway.SessionsOf(fields), command.Transaction, result));
    }

    private static void Write(Utf8JsonWriter json, SessionIds sessions, Transaction transaction, CommandResult result)
    {
        bool holds = result.Outcome == Outcome.Done;
        RepeatedField<ConfigOperation> branch = holds ? transaction.Then : transaction.Else;
        json.WriteBoolean("succeeded", holds);
        json.WriteNumber("revision", result.Revision);
        // A repeat is told what was done, but no results: those are not kept.
        if (result.Operations.Count != branch.Count)
            return;
        json.WriteStartArray("results");
        for (int i = 0; i < branch.Count; i++)
        {
            json.WriteStartObject();
            Write(json, sessions, branch[i], result.Operations[i]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, SessionIds sessions, ConfigOperation operation, ConfigOperationResult result)
    {
        switch (operation.OperationCase)
        {
            case ConfigOperation.OperationOneofCase.Put:
                json.WriteNumber("version", result.Version);
                break;
            case ConfigOperation.OperationOneofCase.Get when result.Entry is null:
                json.WriteNull("entry");
                break;
            case ConfigOperation.OperationOneofCase.Get:
                json.WriteStartObject("entry");
                ConfigJson.Write(json, sessions, result.Entry, withValue: true);
                json.WriteEndObject();
                break;
            default:
                json.WriteNumber("deleted", result.DeletedKeys);
                break;
        }
    }
}
