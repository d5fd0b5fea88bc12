namespace Coordinator.Raft;

/// <summary>
/// Mistakes that tests plant in the core to prove that they would be noticed. Read when a peer is made; nothing but a test
/// can set it.
/// </summary>
internal enum SeededRaftBug : byte
{
    None,
    CommitsOlderTermByCounting,
    VotesForShorterLog,
    VotesTwice,
    AppendsWithoutMatch,
    CutsTailOnOldAppend,
    HeartbeatCommitUnchecked,
    ReadsBeforeFirstCommit,
    ReadsWithoutQuorum,
    SeveralVotersAtOnce,
    ChecksQuorumAtWaking,
    RestsWithFollowerBehind,
}

internal static class SeededRaftBugs
{
    /// <summary>Of this thread alone: tests beside it run the real core.</summary>
    [ThreadStatic]
    internal static SeededRaftBug Planted;
}
