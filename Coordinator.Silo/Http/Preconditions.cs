using System.Globalization;
using Coordinator.Contracts;
using Microsoft.Extensions.Primitives;

namespace Coordinator.Silo.Http;

/// <summary>
/// What a PUT or DELETE of a key expects of it: If-Match with the ETag of a GET, which is the modify revision in quotes;
/// If-None-Match: * for a key that must not exist; or the fields expectedVersion and expectedRevision. 0: no such key.
/// </summary>
internal readonly record struct Preconditions(long? Version, long? ModifyRevision)
{
    public static string ETagOf(ConfigEntry entry) => string.Create(CultureInfo.InvariantCulture, $"\"{entry.ModifyRevision}\"");

    public static Preconditions Read(HttpRequest request, Fields fields)
    {
        long? version = fields.CountOrZero("expectedVersion");
        long? revision = fields.CountOrZero("expectedRevision");
        StringValues match = request.Headers.IfMatch, noneMatch = request.Headers.IfNoneMatch;
        if (match.Count + noneMatch.Count == 0)
            return new Preconditions(version, revision);
        if (match.Count + noneMatch.Count > 1 || revision is not null)
            fields.Refuse(ErrorCode.InvalidRequest,
                "A request has one of: If-Match, If-None-Match, \"expectedRevision\".");
        else if (noneMatch.Count == 1 && noneMatch[0] != "*")
            fields.Refuse(ErrorCode.InvalidRequest, "If-None-Match can only be *: the key must not exist.");
        else if (noneMatch.Count == 1)
            return new Preconditions(version, 0);
        else if (RevisionOf(match[0]) is { } expected)
            return new Preconditions(version, expected);
        else
            fields.Refuse(ErrorCode.InvalidRequest, $"If-Match: {match[0]} is not the ETag of a key: a revision in quotes.");
        return default;
    }

    // No "*" and no list: the group compares with one revision.
    private static long? RevisionOf(string? tag) =>
        tag is ['"', .. var digits, '"']
        && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long revision) && revision > 0
            ? revision
            : null;
}
