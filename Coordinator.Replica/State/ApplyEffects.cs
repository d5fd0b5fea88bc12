using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// What applying entries did besides answering them. Each apply adds at the end; whoever owns it clears it.
/// </summary>
public sealed class ApplyEffects
{
    /// <summary>Waits of earlier entries that ended: granted, timed out, cancelled, or gone with their session.</summary>
    public List<WaitEnded> WaitsEnded { get; } = [];

    public List<EndedSession> SessionsEnded { get; } = [];

    /// <summary>Holdings that ended against their holders' will, and not with their session.</summary>
    public List<HoldingEnded> HoldingsEnded { get; } = [];

    /// <summary>Holders who were asked to let go.</summary>
    public List<ReleaseRequested> ReleasesRequested { get; } = [];

    /// <summary>Elections whose leader or value changed: each once, as it is now.</summary>
    public List<ElectionChanged> ElectionsChanged { get; } = [];

    /// <summary>The entry changed the membership: Raft's own configuration follows.</summary>
    public bool PeersChanged { get; internal set; }

    public void Clear()
    {
        PeersChanged = false;
        WaitsEnded.Clear();
        SessionsEnded.Clear();
        HoldingsEnded.Clear();
        ReleasesRequested.Clear();
        ElectionsChanged.Clear();
    }
}

/// <param name="EntryIndex">The log index of the acquire that waited.</param>
/// <param name="RequestId">Of that acquire; 0: it had none.</param>
/// <param name="Result">Final: never <see cref="Outcome.Queued"/>.</param>
public readonly record struct WaitEnded(long EntryIndex, long SessionId, long RequestId, CommandResult Result);

public readonly record struct EndedSession(long SessionId, SessionEndReason Reason);

public enum SessionEndReason
{
    /// <summary>Its deadline passed in log time.</summary>
    Expired,

    /// <summary>Its client ended it.</summary>
    Closed,
}

/// <param name="EntryIndex">The log index of the acquire.</param>
/// <param name="SessionId">The holder's; 0: a lease.</param>
/// <param name="RequestId">Of the acquire; 0: it had none.</param>
public readonly record struct HoldingEnded(
    HoldingKind Kind,
    string Name,
    long EntryIndex,
    long SessionId,
    long RequestId,
    long Token,
    HoldingEndReason Reason);

public enum HoldingEndReason
{
    /// <summary>Its maximum hold has passed in log time.</summary>
    MaxHoldPassed,

    /// <summary>A lease that nobody renewed in time.</summary>
    LeaseExpired,

    Forced,
}

/// <param name="SessionId">The holder's; 0: a lease.</param>
public readonly record struct ReleaseRequested(HoldingKind Kind, string Name, long SessionId, long Token, string Reason);

/// <param name="LeaderSessionId">0: there is no leader.</param>
public readonly record struct ElectionChanged(string Name, long LeaderSessionId, long Token, string Value);
