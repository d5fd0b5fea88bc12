using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Faults;

internal sealed partial class FaultInjector
{
    private void InjectIntoStorage(FaultKind kind)
    {
        SimulatedDatabase database = random.Pick(world.Databases);
        switch (kind)
        {
            case FaultKind.DatabaseOutage when database.IsUp:
                world.Happenings.Count(Happening.DatabaseOutage);
                database.GoDown();
                Events.After(Duration(), database.ComeUp);
                break;
            case FaultKind.DatabaseSlow:
                Misbehave(database, new StorageFaults { SlowChance = random.Fraction(), SlowMaxUs = random.Skewed(5_000, 4_000_000) });
                break;
            case FaultKind.DatabaseUnsure:
                Misbehave(database, new StorageFaults
                {
                    SlowChance = random.Fraction() * 0.3,
                    FailedChance = random.Fraction() * 0.2,
                    UnknownNotExecutedChance = random.Fraction() * 0.2,
                    UnknownExecutedChance = random.Fraction() * 0.2,
                    UnknownLateChance = random.Fraction() * 0.2,
                    AnswerLostChance = random.Fraction() * 0.3,
                });
                break;
            case FaultKind.RowLocked:
                world.Happenings.Count(Happening.RowLockedByOthers);
                database.LockRow(random.Pick(world.Peers).Key, random.Skewed(1_000, 3_000_000));
                break;
            case FaultKind.DatabaseRolledBack when MayLose(database) && database.HasBackup:
                world.Happenings.Count(Happening.DatabaseRolledBack);
                Lose(database, isEmptied: false);
                database.Restore();
                break;
            case FaultKind.DatabaseEmptied when MayLose(database):
                world.Happenings.Count(Happening.DatabaseEmptied);
                Lose(database, isEmptied: true);
                database.Empty();
                break;
        }
    }

    private void Misbehave(SimulatedDatabase database, StorageFaults faults)
    {
        database.Faults = faults;
        Events.After(Duration(), () => database.Faults = StorageFaults.None);
    }

    /// <summary>
    /// A minority at most, and only where a single activation runs that will notice: what comes back from the past with
    /// nobody to remember the present can't be told from an honest database, and no rule claims so.
    /// </summary>
    private bool MayLose(SimulatedDatabase database)
    {
        if (!world.Operator.IsIdle || world.Invariants.Membership.ConfState.VotersOutgoing.Count > 0)
            return false;
        List<SimulatedPeer> peers = world.Peers.FindAll(peer => peer.Database == database && !peer.IsRetired);
        IReadOnlyList<Raft.PeerId> voters = world.Invariants.Membership.ConfState.Voters;
        int lost = voters.Count(id => world.PeerOf(id) is { } voter && (voter.IsLost || peers.Contains(voter)));
        return lost * 2 < voters.Count
            && peers.TrueForAll(peer => peer is { IsLost: false, Processes: [{ Machine.Service: Replica.ServiceState.Running }] });
    }

    private void Lose(SimulatedDatabase database, bool isEmptied)
    {
        foreach (SimulatedPeer peer in world.Peers)
        {
            if (peer.Database != database)
                continue;
            peer.IsLost = true;
            peer.IsEmptied = isEmptied;
        }
    }
}
