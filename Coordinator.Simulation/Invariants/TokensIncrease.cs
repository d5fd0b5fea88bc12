namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A token is the index of the entry that granted; tokens of one lock strictly increase; the floor of an exclusive grant
/// is its own token (rule 18).
/// </summary>
internal sealed class TokensIncrease : Invariant
{
    protected override string Name => "tokens and floors";

    public override void Granting(CommittedEntry entry, LockView view, LockClaim claim, long floor)
    {
        Require(claim.Token == entry.Index, () => $"entry {entry.Index} grants {view.Name} with token {claim.Token}");
        Require(claim.Token > view.LastToken, () => $"token {claim.Token} of {view.Name} follows token {view.LastToken}");
        Require(floor == claim.Token, () => $"token {claim.Token} of {view.Name} has floor {floor}");
    }
}
