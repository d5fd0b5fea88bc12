namespace Coordinator.Replica;

/// <summary>
/// Storage that stands still. The others commit without this replica's own write, so a leader could go on for long; but it
/// can confirm no read, and what it has not stored only grows. Invariant: one that cannot store holds nobody for longer than
/// twice the budget.
/// </summary>
public sealed partial class ReplicaMachine
{
    private long _writeBegunUs;
    private long _handedOverUs;

    /// <summary>How long the storage has answered nothing that was begun: a write, or a read of the epoch (a log that cannot
    /// be flushed stops the one and not the other).</summary>
    private long StorageStalledUs()
    {
        long writeUs = _writes.InFlight is null ? 0 : _nowUs - _writeBegunUs;
        return Math.Max(writeUs, _nowUs - _gate.ConfirmedUs);
    }

    /// <summary>Once a tick. After a pause of its own the storage has a tick to answer.</summary>
    private void WatchStorage(long sinceLastTickUs)
    {
        bool isPaused = sinceLastTickUs > 2 * _options.TickUs;
        if (!IsLeader || isPaused || !HasStalledFor(1) || _nowUs - _handedOverUs < BudgetUs)
            return;
        _handedOverUs = _nowUs;
        _effects.Warnings.Add(new ReplicaWarning.StorageStalled(StorageStalledUs()));
        HandLeadershipOver();
    }

    /// <summary>Nobody took it over in time: without a word from here the others elect by themselves.</summary>
    private bool LetsFollowersGo() => IsLeader && HasStalledFor(2);

    private long BudgetUs => _options.StorageBudgetElections * _options.ElectionTimeoutUs;

    private bool HasStalledFor(int budgets) => BudgetUs > 0 && StorageStalledUs() >= budgets * BudgetUs;
}
