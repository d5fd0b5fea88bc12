namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// The search for a legal order of one key's operations: Wing and Gong's, depth first, with Lowe's memory of
/// (operations placed, state) pairs that were tried. Invariant: <c>placed</c>, <c>timeline</c>, <c>ranks</c> and <c>top</c> always
/// tell of the same operations. One use each; the result depends on the arguments alone.
/// </summary>
internal sealed class PartitionSearch<TInput, TOutput, TState>
    where TInput : class
    where TOutput : class
{
    private readonly Model<TInput, TOutput, TState> model;
    private readonly Operation<TInput, TOutput>[] known;
    private readonly Operation<TInput, TOutput>[] unknown;
    private readonly int[] twinBefore;
    private readonly Timeline timeline;
    private readonly RankOrder ranks;
    private readonly LinearizedSet placed;
    private readonly HashSet<(LinearizedSet.Fingerprint, TState)> tried = [];
    private readonly long stepsMax;
    private long steps;
    private Placement? top;
    private Placement? furthestTop;
    private int furthest = -1;

    public PartitionSearch(
        Model<TInput, TOutput, TState> model, IReadOnlyList<Operation<TInput, TOutput>> operations, long stepsMax)
    {
        this.model = model;
        this.stepsMax = stepsMax;
        known = operations.Where(o => o.OutcomeIsKnown).ToArray();
        unknown = operations.Where(o => !o.OutcomeIsKnown).ToArray();
        twinBefore = TwinsBefore(unknown);
        timeline = new Timeline(known.Select(o => (o.Invocation, o.Return)).ToArray());
        ranks = new RankOrder(known.Select(o => model.RankOf(o.Input, o.Output)).ToArray());
        placed = new LinearizedSet(known.Length, unknown.Length);
    }

    private sealed record Placement(Placement? Before, Candidate Candidate, TState State);

    private enum Advance { Placed, Exhausted, OutOfSteps }

    private TState State => top is null ? model.Initial : top.State;

    public PartitionResult Run(string key)
    {
        Candidate? after = null;
        // Operations with an unknown outcome that are left over at the end never took effect.
        while (!timeline.IsEmpty)
        {
            switch (PlaceNext(after))
            {
                case Advance.Placed:
                    after = null;
                    break;
                case Advance.OutOfSteps:
                    return Result(key, Verdict.Undecided);
                case Advance.Exhausted when top is null:
                    return Result(key, Verdict.NotLinearizable);
                default:
                    after = TakeBack();
                    break;
            }
        }
        return Result(key, Verdict.Linearizable);
    }

    private Advance PlaceNext(Candidate? after)
    {
        int urgent = timeline.FirstToReturn;
        NoteProgress(known[urgent].Return);
        for (Candidate? at = Next(after, urgent); at is { } candidate; at = Next(at, urgent))
        {
            if (++steps > stepsMax)
                return Advance.OutOfSteps;
            if (!candidate.OutcomeIsUnknown && !ranks.IsNext(candidate.Index))
                continue;
            Operation<TInput, TOutput> operation = Of(candidate);
            if (!model.TryStep(State, operation.Input, operation.Output, out TState state))
                continue;
            if (candidate.OutcomeIsUnknown && IsNeedless(state))
                continue;
            // Past the rank of an operation that is still to come it has no place any more.
            if (model.RankOf(state) > ranks.Lowest)
                continue;
            placed.Add(candidate);
            if (tried.Add((placed.ToFingerprint(), state)))
            {
                if (!candidate.OutcomeIsUnknown)
                {
                    timeline.Lift(candidate.Index);
                    ranks.Add(candidate.Index);
                }
                top = new Placement(top, candidate, state);
                return Advance.Placed;
            }
            placed.Remove(candidate);
        }
        return Advance.Exhausted;
    }

    /// <summary>What was possible before this and the unknown outcomes just before it is all that is possible now.</summary>
    private bool IsNeedless(TState state)
    {
        for (Placement? at = top; ; at = at.Before)
        {
            if (model.IsAsFree(at is null ? model.Initial : at.State, state))
                return true;
            if (at is not { Candidate.OutcomeIsUnknown: true })
                return false;
        }
    }

    private Candidate TakeBack()
    {
        Candidate candidate = top!.Candidate;
        placed.Remove(candidate);
        if (!candidate.OutcomeIsUnknown)
        {
            timeline.Unlift(candidate.Index);
            ranks.Remove(candidate.Index);
        }
        top = top.Before;
        return candidate;
    }

    /// <summary>First what has to return next: whatever else comes before it, it has to come before that returns.</summary>
    private Candidate? Next(Candidate? after, int urgent)
    {
        if (after is null)
            return new Candidate(false, urgent);
        if (after is { OutcomeIsUnknown: false, Index: var index })
        {
            int open = timeline.NextOpen(index == urgent ? -1 : index);
            if (open == urgent)
                open = timeline.NextOpen(open);
            if (open >= 0)
                return new Candidate(false, open);
        }
        for (int i = after is { OutcomeIsUnknown: true } last ? last.Index + 1 : 0; i < unknown.Length; i++)
        {
            if (unknown[i].Invocation > known[urgent].Return)
                break;
            // Of equal unknown operations the one invoked earlier can stand wherever a later one can.
            if (!placed.ContainsUnknown(i) && (twinBefore[i] < 0 || placed.ContainsUnknown(twinBefore[i])))
                return new Candidate(true, i);
        }
        return null;
    }

    // The history up to the furthest return that was ever in the way is what could be explained.
    private void NoteProgress(int mustReturn)
    {
        if (mustReturn <= furthest)
            return;
        furthest = mustReturn;
        furthestTop = top;
    }

    private PartitionResult Result(string key, Verdict verdict)
    {
        List<PlacedOperation> order = [];
        for (Placement? at = verdict == Verdict.Linearizable ? top : furthestTop; at is not null; at = at.Before)
            order.Add(new(Of(at.Candidate).Id, Line(Of(at.Candidate)), Shorten(model.DescribeState(at.State))));
        order.Reverse();
        HashSet<int> ids = order.Select(o => o.Id).ToHashSet();
        List<PlacedOperation> stuck = verdict == Verdict.Linearizable ? [] : known.Concat(unknown)
            .Where(o => o.Invocation < furthest && !ids.Contains(o.Id))
            .OrderBy(o => o.Return).ThenBy(o => o.Invocation)
            .Select(o => new PlacedOperation(o.Id, Line(o), "")).ToList();
        return new PartitionResult(key, verdict, known.Length + unknown.Length, steps, order, stuck);
    }

    private Operation<TInput, TOutput> Of(Candidate candidate) =>
        candidate.OutcomeIsUnknown ? unknown[candidate.Index] : known[candidate.Index];

    private string Line(Operation<TInput, TOutput> operation) =>
        $"[{operation.InvokedUs,10} {operation.ReturnedUs?.ToString() ?? "…",10}] " +
        $"client {operation.Client,-3} {Shorten(model.Describe(operation.Input, operation.Output))}";

    private static string Shorten(string text) => text.Length <= 100 ? text : $"{text[..40]}…{text[^59..]}";

    private static int[] TwinsBefore(Operation<TInput, TOutput>[] unknown)
    {
        Dictionary<TInput, int> last = [];
        int[] twins = new int[unknown.Length];
        for (int i = 0; i < unknown.Length; i++)
        {
            twins[i] = last.GetValueOrDefault(unknown[i].Input, -1);
            last[unknown[i].Input] = i;
        }
        return twins;
    }
}
