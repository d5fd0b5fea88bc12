namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// What came of a history, key by key, in the order of the keys' first operations. Invariant: linearizable exactly if
/// every key is; not linearizable as soon as one key is not.
/// </summary>
internal sealed record CheckResult(IReadOnlyList<PartitionResult> Partitions)
{
    private const int LinesMax = 40;

    public Verdict Verdict =>
        Partitions.Any(p => p.Verdict == Verdict.NotLinearizable) ? Verdict.NotLinearizable
        : Partitions.Any(p => p.Verdict == Verdict.Undecided) ? Verdict.Undecided
        : Verdict.Linearizable;

    /// <summary>The keys that were not shown to be linearizable, the proven failures first.</summary>
    public IEnumerable<PartitionResult> Failing => Partitions
        .Where(p => p.Verdict != Verdict.Linearizable).OrderBy(p => p.Verdict == Verdict.Undecided);

    public long Steps => Partitions.Sum(p => p.Steps);

    public string Report(int linesMax) => Failing.Any()
        ? string.Join("\n\n", Failing.Select(p => p.Report(linesMax)))
        : $"Linearizable: {Partitions.Count} keys, {Partitions.Sum(p => (long)p.Operations)} operations, {Steps} steps";

    public override string ToString() => Report(LinesMax);
}
