using Coordinator.Contracts;
using Coordinator.Replica.State;
using Coordinator.Simulation.Invariants;

namespace Coordinator.Tests.State;

/// <summary>
/// Watches only what clients would see, and knows only what they were promised: the simulator's ledger and invariants of
/// holdings, and nothing executed twice, nothing granted after Cancelled.
/// </summary>
internal sealed class Witness
{
    private readonly HoldingLedger _ledger = new();
    private readonly HoldingsEndInTime _inTime;
    private readonly HashSet<(long Session, long Request)> _cancelled = [];
    private readonly HashSet<(long Session, long Request)> _changed = [];
    private readonly SortedDictionary<string, int> _seen = new(StringComparer.Ordinal);
    private long _index;
    private long _revision;
    private int _endedSince;

    public Witness()
    {
        _inTime = new HoldingsEndInTime(_ledger);
        Invariant[] promises =
        [
            new MutualExclusion(), new TokensIncrease(), new FifoGrants(), new NoGrantToEndedSession(_ledger),
            new LockDelays(_ledger), new NoDeadlock(_ledger), new NoLeakedHolding(_ledger), _inTime,
        ];
        _ledger.Granting = claim =>
        {
            See(claim);
            Array.ForEach(promises, promise => promise.Granting(_index, claim));
        };
        _ledger.Waits = (claim, refused) => Array.ForEach(promises, promise => promise.Waits(_index, claim, refused));
        _ledger.Ended = claim => Array.ForEach(promises, promise => promise.ClaimEnded(claim));
        _ledger.RanOut = claim => Array.ForEach(promises, promise => promise.RanOut(_index, claim));
    }

    /// <summary>How often each kind of grant, and each refusal, was seen.</summary>
    public IReadOnlyDictionary<string, int> Seen => _seen;

    public void See(long index, long stamp, Command command, ApplyResult applied, ApplyEffects effects)
    {
        _index = index;
        CommandResult result = applied.Result;
        Count(result.Error == ErrorCode.Ok ? $"{command.OperationCase} {result.Outcome}" : $"{result.Error}");
        foreach (HoldingEnded ended in effects.HoldingsEnded)
            Count($"{ended.Reason}");
        _endedSince += effects.SessionsEnded.Count;
        _ledger.Follow(index, stamp, command, result, effects);
        _inTime.Check(index);
        if (command.CancelWait is { RequestId: > 0 } cancel && result.Outcome == Outcome.Cancelled)
            _cancelled.Add((command.SessionId, cancel.RequestId));
        if (result.Revision > _revision)
            SeeChange(command, result);
    }

    private void See(Claimed claim)
    {
        Count(claim.View.Kind == HoldingKind.Lock && claim.IsShared ? "grant Shared"
            : claim.IsUpgrade ? "grant Upgrade"
            : $"grant {claim.View.Kind}");
        if (claim.Position > 0)
            Count("grant of several");
        Assert.DoesNotContain((claim.SessionId, claim.RequestId), _cancelled);
    }

    private void SeeChange(Command command, CommandResult result)
    {
        // Each session that ended may have taken a revision for its keys.
        Assert.InRange(result.Revision, _revision + 1, _revision + 1 + _endedSince);
        _revision = result.Revision;
        _endedSince = 0;
        if (command.RequestId != 0)
            Assert.True(_changed.Add((command.SessionId, command.RequestId)), "a change was executed twice");
    }

    private void Count(string what) => _seen[what] = _seen.GetValueOrDefault(what) + 1;
}
