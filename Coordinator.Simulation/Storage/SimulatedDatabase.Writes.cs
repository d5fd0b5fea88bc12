using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Storage;

internal sealed partial class SimulatedDatabase
{
    private enum WriteFate
    {
        Normal,
        Failed,
        UnknownNotExecuted,
        UnknownExecuted,
        UnknownLate,
    }

    public void Write(PeerWrite write, Action<WriteOutcome> answer)
    {
        if (WriteRules.Problem(write) is { } problem)
            throw new InvariantViolation("well-formed writes", $"write {write.WriteSeq} of peer {write.Key}: {problem}");
        if (Plants.AcknowledgesEarly)
            Answer(answer, WriteOutcome.Committed, 0);
        bool losesTailReplacement = ReplacesTail(write) && random.Chance(Faults.TailReplacementLostChance);
        WriteFate fate = !IsUp ? WriteFate.Failed : losesTailReplacement ? WriteFate.UnknownNotExecuted : DrawFate();
        long sentDelay = losesTailReplacement ? random.Between(50_000, 2_000_000) : Delay();
        if (losesTailReplacement)
            happenings.Count(Happening.TailReplacementLost);
        long generation = _generation;
        switch (fate)
        {
            case WriteFate.Failed:
                happenings.Count(Happening.WriteFailed);
                Answer(answer, WriteOutcome.Failed, sentDelay);
                break;
            case WriteFate.UnknownNotExecuted:
                happenings.Count(Happening.WriteUnknownNotExecuted);
                Answer(answer, WriteOutcome.Unknown, sentDelay);
                break;
            case WriteFate.UnknownLate:
                happenings.Count(Happening.WriteUnknownLate);
                Answer(answer, WriteOutcome.Unknown, sentDelay);
                // In a buffer of the server's, after its client has given up.
                Later(sentDelay + random.Skewed(Faults.LateMinUs, Faults.LateMaxUs), () => Begin(write, generation, LateOutcome));
                break;
            case WriteFate.UnknownExecuted:
                happenings.Count(Happening.WriteUnknownExecuted);
                Later(sentDelay, () => Begin(write, generation, _ => Answer(answer, WriteOutcome.Unknown, Delay())));
                break;
            default:
                Later(sentDelay, () => Begin(write, generation, outcome => Answer(answer, outcome, Delay())));
                break;
        }
    }

    private bool ReplacesTail(PeerWrite write) =>
        Find(write.Key) is { } row && write.Entries.Count > 0 && write.Entries[0].Index <= row.LastIndex;

    private WriteFate DrawFate()
    {
        double x = random.Fraction();
        return (x -= Faults.FailedChance) < 0 ? WriteFate.Failed
            : (x -= Faults.UnknownNotExecutedChance) < 0 ? WriteFate.UnknownNotExecuted
            : (x -= Faults.UnknownExecutedChance) < 0 ? WriteFate.UnknownExecuted
            : x - Faults.UnknownLateChance < 0 ? WriteFate.UnknownLate
            : WriteFate.Normal;
    }

    private void LateOutcome(WriteOutcome outcome)
    {
        if (outcome == WriteOutcome.Committed)
            happenings.Count(Happening.LateWriteLanded);
        else if (outcome == WriteOutcome.Fenced)
            happenings.Count(Happening.LateWriteFenced);
    }

    /// <summary>The statement begins: it locks the row, or skips it where it is locked, and checks it (rule 3).</summary>
    private void Begin(PeerWrite write, long generation, Action<WriteOutcome> ended)
    {
        if (generation != _generation || !IsUp)
        {
            ended(WriteOutcome.Unknown);
            return;
        }
        if (Find(write.Key) is not { } row)
        {
            trace.Add($"db {Name}: write {write.Epoch}.{write.WriteSeq} of {write.Key} finds no row");
            ended(WriteOutcome.Missing);
            return;
        }
        bool admitted = Admits(row, write);
        if (row.LockedUntilUs >= events.NowUs && !(Plants.FenceWithoutRowLock && admitted))
        {
            happenings.Count(Happening.WriteBusy);
            trace.Add($"db {Name}: write {write.Epoch}.{write.WriteSeq} of {write.Key} finds its row locked");
            ended(WriteOutcome.Busy);
            return;
        }
        if (!admitted)
        {
            if (row.Epoch == write.Epoch && row.WriteSeq == write.WriteSeq - 1)
                Refusing?.Invoke(row, write);
            if (Plants.InsertsWithoutUpdate)
                row.Log.AddRange(write.Entries.Where(entry => entry.Index > row.LastIndex && write.Entries[0].Index <= row.LastIndex + 1).ToArray());
            happenings.Count(Happening.WriteFenced);
            trace.Add($"db {Name}: write {write.Epoch}.{write.WriteSeq} of {write.Key} fenced by {row.Epoch}.{row.WriteSeq}");
            ended(WriteOutcome.Fenced);
            return;
        }
        long commitDelay = Delay() + random.Between(Faults.CommitMinUs, Faults.CommitMaxUs);
        if (!Plants.FenceWithoutRowLock)
            row.LockedUntilUs = events.NowUs + commitDelay;
        events.After(commitDelay, () => Commit(write, generation, ended));
    }

    private void Commit(PeerWrite write, long generation, Action<WriteOutcome> ended)
    {
        if (generation != _generation || Find(write.Key) is not { } row)
        {
            ended(WriteOutcome.Unknown);
            return;
        }
        Landing?.Invoke(row, write);
        RowFence.Apply(row, write, Plants);
        Moment = Moment with { Lsn = Moment.Lsn + 1 };
        happenings.Count(Happening.WriteLanded);
        trace.Add($"db {Name}: write {write.Epoch}.{write.WriteSeq} of {write.Key} landed: {write.HardState.Term}/{write.HardState.Vote}/{write.HardState.Commit}, {write.Entries.Count} entries, last {row.LastIndex}{(write.Snapshot is { } snapshot ? $", snapshot {snapshot.Index}" : "")}{(write.ReplaceLog ? ", log replaced" : "")}{(write.CompactThrough > 0 ? $", compacted through {write.CompactThrough}" : "")}");
        ended(WriteOutcome.Committed);
    }

    private bool Admits(SimulatedRow row, PeerWrite write) => Plants.FenceWithoutWriteSeq
        ? row.Epoch == write.Epoch
        : RowFence.Admits(row, write);

    private void Answer(Action<WriteOutcome> answer, WriteOutcome outcome, long delayUs)
    {
        WriteOutcome told = Plants.UnknownIsCommitted && outcome == WriteOutcome.Unknown ? WriteOutcome.Committed : outcome;
        Later(delayUs, () => answer(told));
    }
}
