namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// What came of one key. Of a linearizable key, <see cref="Order"/> is a legal order of all its operations (of those
/// with an unknown outcome, the ones that were needed); else it explains the longest prefix of the history that has
/// one, and <see cref="Stuck"/> are the other operations that run at its end, first the one that had to return.
/// </summary>
internal sealed record PartitionResult(
    string Key, Verdict Verdict, int Operations, long Steps,
    IReadOnlyList<PlacedOperation> Order, IReadOnlyList<PlacedOperation> Stuck)
{
    public string Headline => $"{Verdict}: key \"{Key}\", {Operations} operations, {Steps} steps";

    /// <summary>Readable: a line an operation, the last <paramref name="linesMax"/> of the order.</summary>
    public string Report(int linesMax)
    {
        List<string> lines = [Headline];
        lines.Add(Verdict == Verdict.Linearizable
            ? "A legal order, with the state after each:"
            : $"The longest prefix that was explained, {Order.Count} operations in a legal order, " +
              "with the state after each:");
        if (Order.Count > linesMax)
            lines.Add($"        … {Order.Count - linesMax} earlier ones …");
        for (int i = Math.Max(0, Order.Count - linesMax); i < Order.Count; i++)
            lines.Add($"  {i + 1,5} {Order[i].Line,-60} | {Order[i].StateAfter}");
        if (Stuck.Count > 0)
            lines.Add("Running at its end, and without a place; the first had to return next:");
        lines.AddRange(Stuck.Take(linesMax).Select(o => $"      ✗ {o.Line}"));
        if (Stuck.Count > linesMax)
            lines.Add($"        … {Stuck.Count - linesMax} more …");
        return string.Join('\n', lines);
    }
}
