using Coordinator.Grains.Recovery;
using Coordinator.Raft;

namespace Coordinator.Silo.Operator;

/// <summary>A plan as an operator reads it: who is left, what is certain, what is not, and what nobody can know.</summary>
internal static class RecoveryReport
{
    public static async Task WriteAsync(TextWriter output, RecoveryPlan plan)
    {
        await output.WriteLineAsync(
            $"cluster {plan.ClusterId}, group {plan.Group}: {plan.Voters.Count - plan.LostVoters.Count} of {plan.Voters.Count} voters are left");
        foreach (Survivor one in plan.Survivors)
            await output.WriteLineAsync(LineOf(plan, one));
        foreach (DamagedPeer one in plan.Damaged)
            await output.WriteLineAsync($"  peer {one.Key.Peer}: damaged, in {one.Source}: {one.Why}");
        foreach (PeerId lost in plan.LostVoters.Where(lost =>
            plan.Damaged.All(one => one.Key.Peer != lost) && plan.Survivors.All(one => one.Key.Peer != lost)))
            await output.WriteLineAsync($"  peer {lost}: lost{SiloOf(plan, lost)}");
        foreach (string line in Outcome(plan))
            await output.WriteLineAsync(line);
    }

    private static string LineOf(RecoveryPlan plan, Survivor one) =>
        $"  peer {one.Key.Peer}: term {one.Stored.HardState.Term}, log {one.FirstIndex} to {one.LastIndex} of term {one.LastTerm}, "
        + $"committed {one.CommitIndex}, snapshot {one.Snapshot.Index}, in {one.Source}{SiloOf(plan, one.Key.Peer)}"
        + (one.WentBack is { } why ? $"; its database went back in time, so it is no voter any more ({why})" : "")
        + (one == plan.Best ? "; the best log" : "")
        + (plan.DroppedFrom(one) is { } from ? $"; its entries {from} to {one.LastIndex} are in no better log, and are dropped" : "");

    private static IEnumerable<string> Outcome(RecoveryPlan plan)
    {
        long last = plan.Best.LastIndex;
        if (plan.HasQuorum)
        {
            yield return "A quorum is left: nothing has to be rebuilt. Start the silos.";
            yield break;
        }
        yield return $"certainly committed: all up to index {plan.CertainIndex}";
        yield return last == plan.CertainIndex
            ? "perhaps committed: nothing after that"
            : $"perhaps committed: {last - plan.CertainIndex} more, up to index {last}; a rebuild has them";
        yield return plan.LostCouldCommit
            ? $"cannot be known: what peers {string.Join(", ", plan.LostVoters)} had after that. They are a quorum without the others: "
                + "what they acknowledged after the last of these entries is lost with them."
            : $"cannot be known: nothing. Peers {string.Join(", ", plan.LostVoters)} are no quorum without the others: "
                + "all that was acknowledged is among these entries.";
    }

    private static string SiloOf(RecoveryPlan plan, PeerId peer) =>
        plan.State.Membership.Find(peer) is { Silo.Length: > 0 } record ? $" (silo {record.Silo})" : "";
}
