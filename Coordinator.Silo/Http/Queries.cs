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
        query.SeenIndex = SeenIndex(context, fields);
        fields.Group(gateway.Groups);
        if (fields.Finish() is { } refusal)
        {
            await Problems.WriteAsync(context, refusal);
            return null;
        }
        QueryAnswer answer = await gateway.QueryAsync(fields.SaidGroup, query, context.RequestAborted);
        Answers.SetPosition(context, answer.Position);
        if (answer.Error == ErrorCode.Ok)
            return answer;
        await Problems.WriteAsync(context, answer.Error, answer.Message, answer.LeaderHint);
        return null;
    }

    /// <summary>Whoever sends back the X-Raft-Index of an earlier answer reads nothing older (rule 23).</summary>
    public static long SeenIndex(HttpContext context, Fields fields) =>
        NumberIn(context.Request.Headers[Answers.IndexHeader], out long? index)
            ? index ?? 0
            : fields.Refuse(ErrorCode.InvalidRequest, $"{Answers.IndexHeader} is the index of an earlier answer, a whole number.");

    /// <param name="number">Null when the header is missing.</param>
    /// <returns>False when it is there and is not one number.</returns>
    public static bool NumberIn(StringValues header, out long? number)
    {
        number = null;
        if (header.Count == 0)
            return true;
        bool isNumber = long.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
        number = value;
        return isNumber;
    }
}
