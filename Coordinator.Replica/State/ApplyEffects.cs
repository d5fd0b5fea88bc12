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

    /// <summary>The entry changed the membership: Raft's own configuration follows.</summary>
    public bool PeersChanged { get; internal set; }

    public void Clear()
    {
        PeersChanged = false;
        WaitsEnded.Clear();
        SessionsEnded.Clear();
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
