using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>Carries one query of an HTTP request to the group.</summary>
internal static class Queries
{
    /// <summary>Reads what is left of the query string, executes, with the position in the headers.</summary>
    /// <returns>Null when it was refused; the refusal has been written then.</returns>
    public static async Task<QueryAnswer?> ExecuteAsync(
        HttpContext context, CheckedGateway gateway, Query query, Fields fields)
    {
        query.Serializable = fields.Choice("consistency", "linearizable", "serializable") == "serializable";
        if (fields.Finish() is { } refusal)
        {
            await Problems.WriteAsync(context, refusal);
            return null;
        }
        QueryAnswer answer = await gateway.QueryAsync(query, context.RequestAborted);
        Answers.SetPosition(context, answer.Position);
        if (answer.Error == ErrorCode.Ok)
            return answer;
        await Problems.WriteAsync(context, answer.Error, answer.Message, answer.LeaderHint);
        return null;
    }
}
