namespace Coordinator.Simulation.Faults;

/// <summary>What can be made to go wrong.</summary>
internal enum FaultKind
{
    CrashAtOnce,
    CrashBetweenEffects,
    LongOutage,
    RollingRestart,
    /// <summary>A process stands still while its machine's clock goes on.</summary>
    Pause,

    /// <summary>A machine sleeps: its monotonic clock stands still as well.</summary>
    Suspend,

    /// <summary>No healthy Linux does that to its monotonic clock; a replica waits until time is where it was.</summary>
    ClockJumpBack,

    /// <summary>As where a virtual machine is given the time that it has missed.</summary>
    ClockJumpAhead,

    DuplicateActivation,
    SplitByAge,
    StaleLeader,
    LeaderChurn,
    LeaderLostInSnapshot,
    TailReplacementsLost,
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
    ClientSuspended,
    WallClockSet,
    RowAltered,

    /// <summary>A backup is restored, or a standby that lags takes over, under a silo that is down or dies of it.</summary>
    DatabaseBackInTime,

    /// <summary>A database that answers nothing for a time, to nobody, and then goes on.</summary>
    DatabaseStalled,

    /// <summary>A standby takes over that has everything: another timeline, and nothing is lost.</summary>
    DatabaseFailedOver,
}
