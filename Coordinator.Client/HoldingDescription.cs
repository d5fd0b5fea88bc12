using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>Who holds a name and who waits for it. Times are the cluster's log time, which never runs ahead of real time.</summary>
public sealed record HoldingDescription
{
    public required HoldingKind Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>Of a semaphore: its permits in all; otherwise 0.</summary>
    public int Limit { get; init; }

    /// <summary>For so long nobody is granted it, because a holder died; usually zero.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The lowest token first.</summary>
    public IReadOnlyList<HolderDescription> Holders { get; init; } = [];

    /// <summary>The first in line first.</summary>
    public IReadOnlyList<WaiterDescription> Waiters { get; init; } = [];

    /// <summary>In one line, for a person.</summary>
    public override string ToString() =>
        $"\"{Name}\" is held by {(Holders.Count == 0 ? "nobody" : string.Join(", ", Holders))}; "
        + $"{Waiters.Count} {(Waiters.Count == 1 ? "waits" : "wait")} for it.";

    internal static HoldingDescription Of(LockInfo info) => new()
    {
        Kind = info.Kind,
        Name = info.Name,
        Limit = info.Limit,
        Delay = TimeSpan.FromMicroseconds(info.DelayUs),
        Holders = [.. info.Holders.Select(HolderDescription.Of)],
        Waiters = [.. info.Waiters.Select(WaiterDescription.Of)],
    };
}

/// <summary>One who holds.</summary>
public sealed record HolderDescription
{
    /// <summary>0: the holder of a lease.</summary>
    public long SessionId { get; init; }

    public long FencingToken { get; init; }

    /// <summary>As in <see cref="HoldingHandle.Floor"/>.</summary>
    public long Floor { get; init; }

    /// <summary>Since the grant.</summary>
    public TimeSpan Held { get; init; }

    /// <summary>Until the maximum hold has passed, or the lease expires; null: neither.</summary>
    public TimeSpan? Remaining { get; init; }

    public bool IsShared { get; init; }

    /// <summary>Of a semaphore.</summary>
    public int Permits { get; init; }

    /// <summary>How often its session has entered it.</summary>
    public int Holds { get; init; }

    /// <summary>The holder's own words; of a lease: its owner.</summary>
    public string Label { get; init; } = "";

    public string TraceId { get; init; } = "";

    /// <summary>What the holder's session says about itself: by default the client's machine and process.</summary>
    public string SessionMetadata { get; init; } = "";

    /// <summary>Of an election: what the leader publishes.</summary>
    public string Value { get; init; } = "";

    /// <summary>Somebody asked the holder to let go.</summary>
    public bool IsReleaseRequested { get; init; }

    public string ReleaseReason { get; init; } = "";

    /// <summary>In a few words, for a person.</summary>
    public override string ToString()
    {
        string who = SessionId == 0 ? "a lease" : $"session {SessionId}";
        string label = string.Join(", ", new[] { SessionMetadata, Label }.Where(text => text.Length > 0));
        return $"{who}{(label.Length > 0 ? $" ({label})" : "")} for {Held.TotalSeconds:F1} s";
    }

    internal static HolderDescription Of(LockHolder holder) => new()
    {
        SessionId = holder.SessionId,
        FencingToken = holder.Token,
        Floor = holder.Floor,
        Held = TimeSpan.FromMicroseconds(holder.HeldUs),
        Remaining = holder.RemainingUs < 0 ? null : TimeSpan.FromMicroseconds(holder.RemainingUs),
        IsShared = holder.Shared,
        Permits = holder.Permits,
        Holds = holder.Holds,
        Label = holder.Label,
        TraceId = holder.TraceId,
        SessionMetadata = holder.SessionMetadata,
        Value = holder.Value,
        IsReleaseRequested = holder.ReleaseRequested,
        ReleaseReason = holder.ReleaseReason,
    };
}

/// <summary>One who waits.</summary>
public sealed record WaiterDescription
{
    public long SessionId { get; init; }

    /// <summary>Since the request reached the log.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>Until the wait ends; null: it has no end.</summary>
    public TimeSpan? Remaining { get; init; }

    public bool IsShared { get; init; }

    /// <summary>Holds it shared, and wants it exclusive.</summary>
    public bool IsUpgrade { get; init; }

    /// <summary>Of a semaphore.</summary>
    public int Permits { get; init; }

    /// <summary>How many names it waits for at once.</summary>
    public int Names { get; init; }

    public string Label { get; init; } = "";

    public string TraceId { get; init; } = "";

    /// <summary>Of an election: what the candidate would publish.</summary>
    public string Value { get; init; } = "";

    internal static WaiterDescription Of(LockWaiter waiter) => new()
    {
        SessionId = waiter.SessionId,
        Waited = TimeSpan.FromMicroseconds(waiter.WaitedUs),
        Remaining = waiter.RemainingUs < 0 ? null : TimeSpan.FromMicroseconds(waiter.RemainingUs),
        IsShared = waiter.Shared,
        IsUpgrade = waiter.Upgrade,
        Permits = waiter.Permits,
        Names = waiter.Resources,
        Label = waiter.Label,
        TraceId = waiter.TraceId,
        Value = waiter.Value,
    };
}
