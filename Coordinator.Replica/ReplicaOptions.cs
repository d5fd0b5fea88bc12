using Coordinator.Replica.State;

namespace Coordinator.Replica;

/// <summary>How one replica behaves. Times are microseconds. Everything here may differ between replicas of a group.</summary>
public sealed record ReplicaOptions
{
    /// <summary>One Raft tick; the shell gives the replica a turn at least this often.</summary>
    public long TickUs { get; init; } = 50_000;

    /// <summary>The election time-out in ticks; each election draws from [this, 2 × this).</summary>
    public int ElectionTicks { get; init; } = 10;

    public int HeartbeatTicks { get; init; } = 1;

    /// <summary>Seed of the election time-outs; different for each activation.</summary>
    public ulong Seed { get; init; }

    public long MessageBytesMax { get; init; } = 1024 * 1024;

    public int InflightMessagesMax { get; init; } = 256;

    public long InflightBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Bytes of proposals not yet committed; past it a proposal is refused as overloaded.</summary>
    public long UncommittedBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Bytes of entries that the own storage has not confirmed; past it a leader refuses proposals and hands
    /// leadership over: its database is too slow to lead (rule 8).</summary>
    public long UnwrittenBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>A command that has not been decided by then is answered with an unknown outcome. It may still happen.</summary>
    public long CommandTimeoutUs { get; init; } = 10_000_000;

    /// <summary>A linearizable read that found no quorum by then is refused.</summary>
    public long QueryTimeoutUs { get; init; } = 10_000_000;

    /// <summary>A watch that has had nothing to tell for so long is told how far all has been looked through.</summary>
    public long WatchProgressUs { get; init; } = 5_000_000;

    /// <summary>Watches that wait at this replica; one more is refused.</summary>
    public int WatchesMax { get; init; } = 100_000;

    /// <summary>A page of events ends behind the revision that exceeds it.</summary>
    public int WatchPageBytes { get; init; } = 256 * 1024;

    /// <summary>A learner further behind the commit index than this is not made a voter.</summary>
    public long PromotionLagMax { get; init; } = 1_000;

    /// <summary>How long the leader gathers keep-alives into one entry: at most a tenth of the shortest TTL (rule 12).</summary>
    public long KeepAliveGatherUs { get; init; } = 50_000;

    /// <summary>Applied entries since the last snapshot that make a new one due.</summary>
    public long SnapshotEntries { get; init; } = 50_000;

    /// <summary>Applied bytes since the last snapshot that make a new one due.</summary>
    public long SnapshotBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Entries kept below the snapshot for slow followers (rule 8).</summary>
    public long TailEntries { get; init; } = 10_000;

    /// <summary>Compacted rows that one write removes at most, so that no write is slowed by a long removal.</summary>
    public long CompactRowsPerWrite { get; init; } = 2_000;

    /// <summary>A commit index that nothing else makes durable is written after this long.</summary>
    public long LazyCommitUs { get; init; } = 1_000_000;

    /// <summary>A leader whose storage has answered nothing for so many election time-outs hands leadership over, and after
    /// twice that sends no heartbeats. Not below two: its epoch is read once in half a time-out, and until two have passed it
    /// still serves reads. 0: never, where all peers share one database and there is nobody to hand over to.</summary>
    public int StorageBudgetElections { get; init; } = 2;

    /// <summary>How old the write_seq in the file beside the silo may be: storage that went back by less than this, on its own
    /// timeline, is seen by other peers alone.</summary>
    public long WitnessIntervalUs { get; init; } = 1_000_000;

    /// <summary>A snapshot that a follower has not confirmed by then is taken for lost, and sent again.</summary>
    public long SnapshotTimeoutUs { get; init; } = 30_000_000;

    /// <summary>The highest feature level that this program applies (rule 25); lower only where an older one is played.</summary>
    public int SupportedLevel { get; init; } = FeatureLevels.Known;

    /// <summary>Applied entries after which the leader has the replicas compare their states again (rule 9).</summary>
    public long CheckEntries { get; init; } = 10_000;

    /// <summary>The least time between two comparisons.</summary>
    public long CheckIntervalUs { get; init; } = 1_000_000;

    /// <summary>After so many election time-outs in which nothing was asked of a leader, and with nothing pending, its group
    /// rests (rule 24). 0: never, as in a host that brings no news of a leader's death: nobody would wake the others.</summary>
    public int QuiesceElections { get; init; }

    public long ElectionTimeoutUs => TickUs * ElectionTicks;
}
