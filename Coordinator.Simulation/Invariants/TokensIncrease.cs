namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A token is the index of the entry that granted; an exclusive one is above all before it, those of one entry are the
/// same; the floor is the lowest token still held, its own if there is no other (rule 18).
/// </summary>
internal sealed class TokensIncrease : Invariant
{
    protected override string Name => "tokens and floors";

    public override void Granting(long index, Claimed claim)
    {
        long last = claim.View.LastToken;
        bool isExclusive = !claim.IsShared && claim.Permits == 0;
        Require(claim.Token == index, () => $"entry {index} grants {claim}");
        Require(claim.Token > last || (!isExclusive && claim.Token == last), () => $"{claim} follows token {last}");
        long floor = claim.View.Holders.Select(held => held.Token).Append(claim.Token).Min();
        Require(claim.Floor == floor, () => $"{claim} has floor {claim.Floor}, the lowest token held is {floor}");
    }
}
