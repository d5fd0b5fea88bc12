using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>Carries one command of an HTTP request to the group.</summary>
internal static class Commands
{
    /// <summary>Who asked. No one is authenticated on a silo that only its own machine reaches.</summary>
    public static string CallerOf(HttpContext context) => context.User.Identity?.Name ?? "";

    /// <summary>The optional fields that make a command of a session repeatable (rule 14).</summary>
    /// <param name="groups">Of the cluster.</param>
    public static Command InSession(Fields fields, bool sessionRequired, int groups)
    {
        Command command = new()
        {
            SessionId = fields.Session("sessionId", sessionRequired, groups),
            RequestId = fields.Count("requestId"),
            AnsweredBelow = fields.Count("answeredBelow"),
        };
        // Else a caller would take for repeatable what is not.
        if (command.SessionId == 0 && (command.RequestId > 0 || command.AnsweredBelow > 0))
            fields.Refuse(ErrorCode.InvalidRequest, "Request ids count within a session: \"sessionId\" is missing.");
        return command;
    }

    /// <summary>Executes it, with the position in the headers.</summary>
    /// <param name="fields">Of the request, which may say the group.</param>
    /// <returns>Null when it was refused; the refusal has been written then.</returns>
    public static async Task<CommandResult?> ExecuteAsync(
        HttpContext context, CheckedGateway gateway, Command command, Fields fields)
    {
        CommandAnswer answer = await gateway.ExecuteAsync(fields.SaidGroup, command, CallerOf(context), context.RequestAborted);
        Answers.SetPosition(context, answer.Position);
        if (answer.Result.Error == ErrorCode.Ok)
            return answer.Result;
        await Problems.WriteAsync(context, answer.Result.Error, answer.Message, answer.LeaderHint);
        return null;
    }
}
