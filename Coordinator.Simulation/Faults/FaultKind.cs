namespace Coordinator.Simulation.Faults;

/// <summary>What can be made to go wrong.</summary>
internal enum FaultKind
{
    CrashAtOnce,
    CrashBetweenEffects,
    LongOutage,
    RollingRestart,
    Pause,
    Suspend,
    ClockJumpBack,
    DuplicateActivation,
    SplitByAge,
    StaleLeader,
    LeaderChurn,
    PartitionSymmetric,
    PartitionOneWay,
    PartitionRing,
    IsolatedLeader,
    CloggedLink,
    NetworkStorm,
    DatabaseOutage,
    DatabaseSlow,
    DatabaseUnsure,
    RowLocked,
    DatabaseRolledBack,
    DatabaseEmptied,
    LeadershipTransfer,
    MembershipChange,
    ClientVanishes,
    CutOffClient,
}
