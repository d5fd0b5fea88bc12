namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// The order that the answers tell, and how far it has been followed. Invariant: <c>next</c> is the first place in the
/// order of ranks whose operation is not in the set.
/// </summary>
internal sealed class RankOrder
{
    private readonly Int128?[] ranks;
    private readonly int[] byRank;
    private readonly int[] placeOf;
    private readonly bool[] contains;
    private int next;

    /// <summary><paramref name="ranks"/>: of each operation; null: it has none.</summary>
    public RankOrder(Int128?[] ranks)
    {
        this.ranks = ranks;
        byRank = Enumerable.Range(0, ranks.Length).Where(i => ranks[i] is not null).OrderBy(i => ranks[i]).ToArray();
        placeOf = new int[ranks.Length];
        for (int place = 0; place < byRank.Length; place++)
            placeOf[byRank[place]] = place;
        contains = new bool[byRank.Length];
    }

    /// <summary>The lowest rank that is left over.</summary>
    public Int128 Lowest => next < byRank.Length ? ranks[byRank[next]]!.Value : Int128.MaxValue;

    public bool IsNext(int operation) => ranks[operation] is not { } rank || rank <= Lowest;

    public void Add(int operation)
    {
        if (ranks[operation] is null)
            return;
        contains[placeOf[operation]] = true;
        while (next < byRank.Length && contains[next])
            next++;
    }

    public void Remove(int operation)
    {
        if (ranks[operation] is null)
            return;
        contains[placeOf[operation]] = false;
        next = Math.Min(next, placeOf[operation]);
    }
}
