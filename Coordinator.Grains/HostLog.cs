using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>All that peers and groups log; a peer as GROUP/PEER. Event ids 3000 to 3099 are stable.</summary>
internal static partial class HostLog
{
    public static void PeerChanged(ILogger log, ReplicaStatus before, ReplicaStatus now)
    {
        if (now.Detail is PeerLoop.OrderlyStop or PeerLoop.HasLeft)
            return;
        if (before.Service != now.Service && now.Service is ServiceState.Quarantined or ServiceState.Stopped)
            PeerHalted(log, KeyOf(now), now.Service, now.Detail ?? "");
        else if (now.Role == Raft.RaftState.Leader && before.Role != Raft.RaftState.Leader)
            PeerLeads(log, KeyOf(now), now.Term.Value);
    }

    public static void Warn(ILogger log, string peer, ReplicaWarning warning)
    {
        switch (warning)
        {
            case ReplicaWarning.FollowerSilent silent:
                FollowerSilent(log, peer, silent.Peer.Value, silent.SilentUs / 1_000);
                break;
            case ReplicaWarning.FollowerHeardAgain again:
                FollowerHeardAgain(log, peer, again.Peer.Value);
                break;
            case ReplicaWarning.StorageStalled stalled:
                StorageStalled(log, peer, stalled.StalledUs / 1_000);
                break;
            case ReplicaWarning.HeartbeatLate late:
                HeartbeatLate(log, peer, late.IntervalUs / 1_000, late.ElectionTimeoutUs / 1_000);
                break;
        }
    }

    private static PeerKey KeyOf(ReplicaStatus status) => new(status.Membership.Group, status.Peer);

    [LoggerMessage(3000, LogLevel.Information, "Peer {Peer} leads in term {Term}")]
    private static partial void PeerLeads(ILogger log, PeerKey peer, long term);

    [LoggerMessage(3001, LogLevel.Critical, "Peer {Peer} is {State}: {Why}")]
    public static partial void PeerHalted(ILogger log, PeerKey peer, ServiceState state, string why);

    [LoggerMessage(3002, LogLevel.Critical, "Peer {Peer} broke an invariant and stops")]
    public static partial void PeerBroken(ILogger log, string peer, Exception broken);

    [LoggerMessage(3003, LogLevel.Warning,
        "Peer {Peer}: write {WriteSeq} of activation {Epoch} ended as {Outcome}; the peer activates again")]
    public static partial void WriteInDoubt(ILogger log, string peer, long epoch, long writeSeq, WriteOutcome outcome);

    [LoggerMessage(3004, LogLevel.Information, "Peer {Peer} is active again, as activation {Epoch}")]
    public static partial void Reactivated(ILogger log, string peer, long epoch);

    [LoggerMessage(3005, LogLevel.Debug, "Peer {Peer} waits for its database: {Reason}")]
    public static partial void ReactivationWaits(ILogger log, string peer, string reason);

    [LoggerMessage(3006, LogLevel.Warning, "Peer {Peer}: chunks of old snapshots could not be removed now")]
    public static partial void SnapshotGarbageKept(ILogger log, string peer, Exception problem);

    [LoggerMessage(3044, LogLevel.Information, "Founded cluster {Cluster} of {Groups} groups, with {Peers} peers in all")]
    public static partial void ClusterFounded(ILogger log, Guid cluster, int groups, int peers);

    [LoggerMessage(3045, LogLevel.Information, "Group {Group} is led by silo {Silo} now, which led {Difference} groups fewer")]
    public static partial void LeaderSpread(ILogger log, int group, string silo, int difference);

    [LoggerMessage(3015, LogLevel.Warning,
        "Group {Group}: restored from a snapshot of cluster {Cluster} at index {Index}; it begins at {Start}")]
    public static partial void Restored(ILogger logger, int group, Guid cluster, long index, long start);

    [LoggerMessage(3009, LogLevel.Warning,
        "Group {Group} was bootstrapped with {Stored} peers: the option Peers = {Wanted} counts at the first start only")]
    public static partial void PeersDiffer(ILogger log, int group, int stored, int wanted);

    [LoggerMessage(3020, LogLevel.Warning, "Peer {Lost} is lost; peer {Replacement} is made to take its place")]
    public static partial void PeerLost(ILogger log, PeerKey lost, long replacement);

    [LoggerMessage(3021, LogLevel.Warning, "Peer {Replacement} has taken the place of peer {Lost}")]
    public static partial void PeerReplaced(ILogger log, PeerKey lost, long replacement);

    [LoggerMessage(3022, LogLevel.Information, "Peer {Peer} is no member of the group; its rows are removed")]
    public static partial void PeerLeft(ILogger log, PeerKey peer);

    [LoggerMessage(3023, LogLevel.Warning, "Group {Group}: a change of its peers waits")]
    public static partial void ReplacementWaits(ILogger log, int group, Exception problem);

    [LoggerMessage(3014, LogLevel.Error,
        "Peer {Peer} leads, and its voters' states differ with no majority for any: restore the group, or remove the peer that you know to be wrong")]
    public static partial void StateDisputed(ILogger log, PeerKey peer);

    [LoggerMessage(3025, LogLevel.Information, "Peer {Peer} has caught up, and votes")]
    public static partial void PeerVotes(ILogger log, PeerKey peer);

    [LoggerMessage(3026, LogLevel.Information, "Peer {Peer} joins its group as a learner")]
    public static partial void PeerJoins(ILogger log, PeerKey peer);

    [LoggerMessage(3027, LogLevel.Information, "Peer {Peer} leaves its group, as was asked for")]
    public static partial void PeerLeaves(ILogger log, PeerKey peer);

    [LoggerMessage(3024, LogLevel.Critical,
        "A caller has seen log index {Seen}, and group {Group} is at {Index}: a database went back in time, or what the caller has seen is another cluster's or group's")]
    public static partial void WitnessedRollback(ILogger log, int group, long seen, long index);

    [LoggerMessage(3008, LogLevel.Information, "{Peers} peers of {Groups} groups active")]
    public static partial void Activated(ILogger log, int groups, int peers);

    [LoggerMessage(3010, LogLevel.Warning,
        "Peer {Peer} leads and has not heard follower {Follower} for {SilentMs} ms; the next report comes when that has doubled")]
    private static partial void FollowerSilent(ILogger log, string peer, long follower, long silentMs);

    [LoggerMessage(3011, LogLevel.Information, "Peer {Peer} hears follower {Follower} again")]
    private static partial void FollowerHeardAgain(ILogger log, string peer, long follower);

    [LoggerMessage(3012, LogLevel.Warning,
        "Peer {Peer} leads and sent no heartbeat for {IntervalMs} ms; after {ElectionTimeoutMs} ms its followers elect another. Its machine or process stands still at times")]
    private static partial void HeartbeatLate(ILogger log, string peer, long intervalMs, long electionTimeoutMs);

    [LoggerMessage(3013, LogLevel.Warning,
        "Peer {Peer} leads, and its database has answered nothing for {StalledMs} ms: it hands leadership over")]
    private static partial void StorageStalled(ILogger log, string peer, long stalledMs);

    [LoggerMessage(3030, LogLevel.Information, "This silo takes part in cluster {Cluster} with {Peers} peers, one of each group")]
    public static partial void TookPart(ILogger log, Guid cluster, int peers);

    [LoggerMessage(3031, LogLevel.Information, "Not yet in a cluster: {Why}")]
    public static partial void FoundingWaits(ILogger log, string why);

    [LoggerMessage(3032, LogLevel.Critical,
        "Silo {Silo} has lost its peer {Peer}: the cluster knows it with another storage id than this database has. It serves without a peer, through the other silos")]
    public static partial void PeerIsLost(ILogger log, string silo, PeerKey peer);

    [LoggerMessage(3034, LogLevel.Warning, "Peer {Peer} could not be made now")]
    public static partial void PeerNotMade(ILogger log, PeerKey peer, Exception problem);

    [LoggerMessage(3035, LogLevel.Information, "Peer {Peer} was made before, with storage id {StorageId}, and not proposed")]
    public static partial void PeerIsThere(ILogger log, PeerKey peer, Guid storageId);

    [LoggerMessage(3033, LogLevel.Warning, "Silo {Silo} sent a message of peer {Peer}, which is silo {Owner}'s: dropped")]
    public static partial void ForeignEnvelope(ILogger log, string silo, PeerKey peer, string owner);

    [LoggerMessage(3040, LogLevel.Critical,
        "The database of peer {Peer} went back in time, and the peer takes no part any more: {Why} Replace the peer by one with a new id; or, if you have restored the whole group on purpose, start once with Coordinator:TrustStorage = true")]
    public static partial void StorageWentBack(ILogger log, PeerKey peer, string why);

    [LoggerMessage(3041, LogLevel.Error,
        "Peer {Peer}: the witness that tells an old database cannot be read; all other voters are asked instead")]
    public static partial void WitnessNotRead(ILogger log, string peer, Exception problem);

    [LoggerMessage(3043, LogLevel.Warning, "The witness file {StorageId} is of no use any more, and stays: it can be deleted by hand")]
    public static partial void WitnessKept(ILogger log, Guid storageId, Exception problem);

    [LoggerMessage(3042, LogLevel.Error,
        "Peer {Peer}: the file beside the silo that tells an old database cannot be written; a peer that has just been activated waits for it")]
    public static partial void WitnessNotWritten(ILogger log, string peer, Exception problem);
}
