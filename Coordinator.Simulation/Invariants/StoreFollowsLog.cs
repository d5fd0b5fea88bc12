using Coordinator.Contracts;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>The keys that an entry changes are afterwards what the log makes of them; at the end all keys are, on every replica.</summary>
internal sealed class StoreFollowsLog(ConfigLedger ledger) : Invariant
{
    protected override string Name => "the store follows the log";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        if (process.Owner.IsAltered)
            return;
        foreach (string key in ledger.LastChanges.Select(change => change.Key))
            Check(process, key);
    }

    public override void AtEnd(World world)
    {
        foreach (SimulatedPeer peer in world.Peers)
        {
            if (!world.IsSound(peer) || peer.IsAltered || peer.Newest is not { Machine: { } machine } process)
                continue;
            foreach (string key in ledger.AllKeys(""))
                Check(process, key);
            long expected = ledger.Keys("").Count();
            Require(machine.State.Config.Records.Count == expected, () => $"peer {peer.Id} has {machine.State.Config.Records.Count} keys, by the log it is {expected}");
        }
    }

    private void Check(PeerProcess process, string key)
    {
        ConfigRecord? record = process.Machine!.State.Config.Find(key);
        ConfigEntry? stored = record is null ? null : ConfigQueries.Describe(key, record, keysOnly: false);
        ConfigEntry? expected = ledger.Find(key);
        Require(Equals(stored, expected), () => $"peer {process.Peer} has {stored?.ToString() ?? $"no {key}"}, by the log it is {expected?.ToString() ?? "none"}");
    }
}
