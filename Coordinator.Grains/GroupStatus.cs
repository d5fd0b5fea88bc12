using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>What a silo knows of a group.</summary>
/// <param name="LeaderId">0: none known.</param>
public sealed record GroupStatus(
    int Group, long LeaderId, long Term, long CommitIndex, long Revision, int Sessions, IReadOnlyList<PeerStatus> Peers)
{
    /// <summary>Of the voters that have caught up, how many may be lost now with a quorum of them left.</summary>
    public int FailuresTolerated { get; init; }

    /// <summary>In a joint configuration, of the half that is worse off.</summary>
    public int Voters { get; init; }

    /// <summary>Those that are reached from here, run, and do not lag.</summary>
    public int VotersCaughtUp { get; init; }

    /// <summary>Of the cluster, as configured; empty in the embedded host.</summary>
    public IReadOnlyList<SiloStatus> Silos { get; init; } = [];

    /// <summary>Why this silo has no peer, or none that runs; null: it has one.</summary>
    public string? Notice { get; init; }
}

/// <param name="State">"leader", "follower", "candidate", "learner", "suspended", "quarantined", "stopped", "unknown".</param>
/// <param name="Detail">Why, when the state is one of the last four.</param>
public sealed record PeerStatus(
    long PeerId, string State, long Epoch, long Term, long LastIndex, long CommitIndex, long AppliedIndex,
    long SnapshotIndex, string? Detail)
{
    /// <summary>Where it is, in a cluster.</summary>
    public string? Silo { get; init; }

    internal static PeerStatus From(ReplicaStatus status) => new(
        status.Peer.Value,
        status.Service == ServiceState.Running && status.Membership.ConfState.Learners.Contains(status.Peer)
            ? "learner"
            : GroupDescriptions.StateOf(status),
        status.Epoch, status.Term.Value, status.LastIndex, status.CommitIndex, status.AppliedIndex,
        status.SnapshotIndex, status.Detail);
}

/// <param name="Link">"self", "up" or "down".</param>
public sealed record SiloStatus(string SiloId, string Url, string Link);
