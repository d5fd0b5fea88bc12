namespace Coordinator.Simulation.Invariants;

/// <summary>In log order, a resource is granted only beside holders that it can be held with.</summary>
internal sealed class MutualExclusion : Invariant
{
    protected override string Name => "mutual exclusion";

    public override void Granting(long index, Claimed claim)
    {
        List<Claimed> holders = claim.View.Holders;
        int permits = claim.Permits + holders.Sum(held => held.Permits);
        bool fits = claim.Permits > 0 ? permits <= claim.Limit && holders.TrueForAll(held => held.Limit == claim.Limit)
            : claim.IsShared ? holders.TrueForAll(held => held.IsShared)
            : holders.Count == 0;
        Require(fits, () => $"entry {index} grants {claim}; held: {string.Join("; ", holders)}");
    }
}
