using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// The group's feature level rises only to what every member's program has supported, and no replica's state has a level
/// above its own program's (rule 25).
/// </summary>
internal sealed class LevelSupportedByAll(Func<World> world) : Invariant
{
    protected override string Name => "the level is supported by all";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        if (entry.Command?.RaiseFeatureLevel is not { } raise)
            return;
        foreach (IReadOnlyList<PeerId> list in Memberships.Lists(process.Machine!.State.Membership.ConfState))
        {
            foreach (PeerId id in list)
            {
                int run = world().PeerOf(id)!.HighestLevelRun;
                Require(run >= raise.Level, () => $"entry {entry.Index} raises the level to {raise.Level}, peer {id} has run {run} at the most");
            }
        }
    }

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        int level = process.Machine!.State.FeatureLevel;
        Require(level <= process.ProgramLevel, () => $"peer {process.Peer} applies level {level}, its program supports {process.ProgramLevel}");
    }
}
