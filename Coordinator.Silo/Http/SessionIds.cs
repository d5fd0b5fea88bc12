using System.Globalization;

namespace Coordinator.Silo.Http;

/// <summary>
/// How sessions of a group are written over HTTP, everywhere: their ids count within their group, so in a cluster with
/// several the group's number comes first, "3-1234"; in one with a single group the id is all there is, "1234".
/// </summary>
internal readonly record struct SessionIds(int Groups, int Group)
{
    public string TextOf(long sessionId) => Groups == 1
        ? sessionId.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Group}-{sessionId}");

    /// <summary>Null: it is no session's.</summary>
    public static (int Group, long Id)? Parse(string text, int groups)
    {
        if (groups == 1)
            return IsId(text, out long only) ? (0, only) : null;
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && IsGroup(text.AsSpan(0, dash), groups, out int group) && IsId(text.AsSpan(dash + 1), out long id)
            ? (group, id)
            : null;
    }

    /// <summary>What <see cref="Parse"/> takes, for a person.</summary>
    public static string Allowed(int groups) => groups == 1
        ? "A session id is a whole number from 1 on."
        : $"A session id is its group's number, from 0 to {groups - 1}, a dash, and a whole number from 1 on: 0-1234.";

    private static bool IsId(ReadOnlySpan<char> text, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id > 0;

    // One way to write each: no zeros before it.
    private static bool IsGroup(ReadOnlySpan<char> text, int groups, out int group) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out group) && group < groups
        && (text.Length == 1 || text[0] != '0');
}
