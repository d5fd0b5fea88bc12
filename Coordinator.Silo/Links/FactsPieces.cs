using Coordinator.Contracts;

namespace Coordinator.Silo.Links;

/// <summary>
/// A silo's facts as one link is told them: all at first, then the groups that have changed; in pieces so small that they
/// keep their order. Invariant: whoever has taken in all pieces knows what the silo knows, and before the last one nobody
/// is told that all peers run: one that is yet to be named would be taken for lost.
/// </summary>
internal sealed class FactsPieces
{
    private const int PieceBytesMax = LinkLimits.SmallFrameBytesMax / 2;

    private SiloFacts? _told;

    /// <param name="facts">Not changed by anyone any more; a fact that is as before is the same object.</param>
    public IReadOnlyList<SiloFacts> Next(SiloFacts facts)
    {
        SiloFacts? before = _told;
        _told = facts;
        List<SiloFacts> pieces = [new SiloFacts { Partial = before is not null }];
        int bytes = 0;
        foreach (GroupFact[] group in Changed(before, facts))
        {
            int more = group.Sum(fact => fact.CalculateSize());
            if (bytes > 0 && bytes + more > PieceBytesMax)
            {
                pieces.Add(new SiloFacts { Partial = true });
                bytes = 0;
            }
            pieces[^1].Groups.Add(group);
            bytes += more;
        }
        if (before is not null)
            pieces[^1].Emptied.Add(before.Groups.Select(fact => fact.Group).Except(facts.Groups.Select(fact => fact.Group)));
        foreach (SiloFacts piece in pieces)
        {
            (piece.Stopping, piece.ClusterId, piece.Server) = (facts.Stopping, facts.ClusterId, facts.Server);
            piece.AllRun = facts.AllRun && (piece == pieces[^1] || before is { AllRun: true });
        }
        return pieces;
    }

    private static IEnumerable<GroupFact[]> Changed(SiloFacts? before, SiloFacts facts)
    {
        ILookup<int, GroupFact>? known = before?.Groups.ToLookup(fact => fact.Group);
        return facts.Groups.GroupBy(fact => fact.Group).Select(group => group.ToArray())
            .Where(group => known is null || !known[group[0].Group].SequenceEqual(group));
    }
}
