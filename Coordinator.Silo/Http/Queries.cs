using System.Globalization;
using Coordinator.Contracts;
using Microsoft.Extensions.Primitives;

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
        if (SeenIndex(context, query) is { } unreadable)
        {
            await Problems.WriteAsync(context, unreadable);
            return null;
        }
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

    /// <summary>Whoever sends back the X-Raft-Index of an earlier answer reads nothing older (rule 23).</summary>
    private static Refusal? SeenIndex(HttpContext context, Query query)
    {
        StringValues seen = context.Request.Headers[Answers.IndexHeader];
        if (seen.Count == 0)
            return null;
        if (!long.TryParse(seen, NumberStyles.None, CultureInfo.InvariantCulture, out long index))
            return new Refusal(ErrorCode.InvalidRequest, $"{Answers.IndexHeader} is the index of an earlier answer, a whole number.");
        query.SeenIndex = index;
        return null;
    }
}
