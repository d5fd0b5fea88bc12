using System.Net;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Tests.Silo;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Coordinator.Tests.Fuzz;

/// <summary>What holds of every answer, whatever was asked.</summary>
internal static class FuzzRules
{
    // What the server below refuses before anything of the silo reads it (docs/http.md), without a body.
    private static readonly HttpStatusCode[] OfTheServer =
    [
        HttpStatusCode.BadRequest, HttpStatusCode.RequestUriTooLong, HttpStatusCode.RequestHeaderFieldsTooLarge,
        HttpStatusCode.HttpVersionNotSupported, HttpStatusCode.MethodNotAllowed,
    ];

    public static void Check(HttpAnswer answer, bool isHead)
    {
        if ((int)answer.Status < 400)
            return;
        if (!answer.Headers.ContainsKey("Content-Type"))
        {
            if (answer.Body.Length > 0 || !OfTheServer.Contains(answer.Status))
                throw new FuzzFinding($"{(int)answer.Status} without problem details: {answer.Text}");
            return;
        }
        if (answer.Headers["Content-Type"] != "application/problem+json")
            throw new FuzzFinding($"{(int)answer.Status} is {answer.Headers["Content-Type"]}");
        if (!isHead)
            CheckProblem(answer);
    }

    /// <summary>Every code in a frame, at whatever depth, is one that a client may see.</summary>
    public static void Check(IMessage message)
    {
        foreach (FieldDescriptor field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.IsRepeated || field.Accessor.GetValue(message) is not { } value)
                continue;
            if (value is IMessage inner)
                Check(inner);
            else if (value is ErrorCode code && (code == ErrorCode.Internal || !Enum.IsDefined(code)))
                throw new FuzzFinding($"A frame with the code {code}: {message}");
        }
    }

    private static void CheckProblem(HttpAnswer answer)
    {
        JsonElement problem = answer.Json;
        string code = problem.GetProperty("code").GetString()!;
        if (!Enum.TryParse(code, out ErrorCode known) || known is ErrorCode.Internal or ErrorCode.Ok)
            throw new FuzzFinding($"{(int)answer.Status} with the code {code}: {answer.Text}");
        if (problem.GetProperty("status").GetInt32() != (int)answer.Status || problem.GetProperty("detail").GetString() is null or "")
            throw new FuzzFinding($"{(int)answer.Status} with another status in it, or no words: {answer.Text}");
    }
}
