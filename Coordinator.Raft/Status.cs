namespace Coordinator.Raft;

/// <summary>Everything there is to see of a peer, a copy.</summary>
public sealed record Status
{
    public required PeerId Id { get; init; }
    public required HardState HardState { get; init; }
    public required SoftState SoftState { get; init; }
    public required long Applied { get; init; }
    public required long FirstIndex { get; init; }
    public required long LastIndex { get; init; }

    /// <summary>Who leadership is being handed to.</summary>
    public required PeerId LeadTransferee { get; init; }

    public required Configuration Configuration { get; init; }

    /// <summary>Each tracked peer, this one included, by ascending id; empty unless this peer leads.</summary>
    public required IReadOnlyList<PeerProgress> Progress { get; init; }
}

/// <summary>What a leader knows of one peer.</summary>
/// <param name="Match">The logs are known to match up to here.</param>
/// <param name="Next">The next entry to send.</param>
/// <param name="PendingSnapshot">The index of the snapshot on its way; 0: none.</param>
/// <param name="RecentActive">It has answered since the last check for a quorum.</param>
/// <param name="Paused">Nothing is sent to it at the moment.</param>
/// <param name="Inflight">Append messages sent and not acknowledged.</param>
/// <param name="InflightFull">A limit on those is reached.</param>
public readonly record struct PeerProgress(
    PeerId Peer,
    ProgressState State,
    long Match,
    long Next,
    long PendingSnapshot,
    bool IsLearner,
    bool RecentActive,
    bool Paused,
    int Inflight,
    bool InflightFull);
