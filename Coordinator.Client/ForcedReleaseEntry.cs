using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>An entry of the audit list: a holding that was ended against its holder's will.</summary>
public sealed record ForcedReleaseEntry
{
    /// <summary>That of the name: its audit list is the one that this is from.</summary>
    public int Group { get; init; }

    /// <summary>Counts up in each group.</summary>
    public long Number { get; init; }

    public HoldingKind Kind { get; init; }

    public string Name { get; init; } = "";

    /// <summary>How long ago, in log time.</summary>
    public TimeSpan Ago { get; init; }

    /// <summary>The holder's; 0: a lease.</summary>
    public long SessionId { get; init; }

    public long FencingToken { get; init; }

    /// <summary>The holder's; of a lease: its owner.</summary>
    public string Label { get; init; } = "";

    /// <summary>Who forced it, as the silo knows them.</summary>
    public string Caller { get; init; } = "";

    public string Reason { get; init; } = "";

    internal static ForcedReleaseEntry Of(ForcedRelease forced, int group) => new()
    {
        Group = group,
        Number = forced.Number,
        Kind = forced.Kind,
        Name = forced.Name,
        Ago = TimeSpan.FromMicroseconds(forced.AgoUs),
        SessionId = forced.SessionId,
        FencingToken = forced.Token,
        Label = forced.Label,
        Caller = forced.Caller,
        Reason = forced.Reason,
    };
}
