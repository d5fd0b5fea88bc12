using Coordinator.Raft;

namespace Coordinator.Tests.Conformance;

/// <summary>Membership changes as the case files write them: <c>v1 l2 r3 u4</c>.</summary>
internal static class ConfChangeText
{
    private const string Letters = "vrul";

    public static ConfChangeSingle[] Parse(string text) =>
    [
        .. text.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(word => new ConfChangeSingle(
            (ConfChangeType)Letters.IndexOf(word[0], StringComparison.Ordinal), new PeerId(long.Parse(word[1..], null)))),
    ];

    public static string Of(ConfChangeV2 change) =>
        string.Join(' ', change.Changes.Select(c => $"{Letters[(int)c.Type]}{c.Peer}"));
}
