using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Faults;

internal sealed partial class InjectedFault
{
    private bool TryStorage(FaultKind kind)
    {
        SimulatedDatabase database = random.Pick(world.Databases);
        switch (kind)
        {
            case FaultKind.DatabaseOutage when database.IsUp:
                database.GoDown();
                Events.After(Duration(), database.ComeUp);
                return true;
            case FaultKind.DatabaseSlow:
                Misbehave(database, new StorageFaults { SlowChance = random.Fraction(), SlowMaxUs = random.Skewed(5_000, 4_000_000) });
                return true;
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
                return true;
            case FaultKind.RowLocked:
                database.LockRow(random.Pick(world.Peers).Key, random.Skewed(1_000, 3_000_000));
                return true;
            case FaultKind.DatabaseRolledBack when MayLose(database) && database.HasBackup:
                Lose(database, isEmptied: false);
                database.Restore();
                return true;
            case FaultKind.DatabaseEmptied when MayLose(database):
                Lose(database, isEmptied: true);
                database.Empty();
                return true;
            case FaultKind.DatabaseStalled:
                (random.Chance(0.6) && LeadingPeer() is { } leader ? leader.Database : database).Stall(random.Skewed(100_000, 15_000_000));
                return true;
            case FaultKind.DatabaseBackInTime:
                return TryGoBack(database);
            case FaultKind.DatabaseFailedOver when world.Peers.TrueForAll(peer => !peer.IsLost || peer.IsRetired):
                database.FailOver();
                return true;
            case FaultKind.RowAltered:
                return TryAlter(random.Pick(world.Peers));
            default:
                return false;
        }
    }

    private void Misbehave(SimulatedDatabase database, StorageFaults faults) => Misbehave(database, faults, Duration());

    private void Misbehave(SimulatedDatabase database, StorageFaults faults, long durationUs)
    {
        database.Faults = faults;
        Events.After(durationUs, () =>
        {
            if (database.Faults == faults)
                database.Faults = StorageFaults.None;
        });
    }

    /// <summary>
    /// A minority at most, and only where a single activation runs that will notice: what comes back from the past with
    /// nobody to remember the present can't be told from an honest database, and no rule claims so.
    /// </summary>
    private bool MayLose(SimulatedDatabase database)
    {
        List<SimulatedPeer> peers = world.Peers.FindAll(peer => peer.Database == database && !peer.IsRetired);
        return IsMinority(peers)
            && peers.TrueForAll(peer => peer is { IsLost: false, Processes: [{ Machine.Service: Replica.ServiceState.Running }] });
    }

    /// <summary>Together with what is lost already.</summary>
    private bool IsMinority(List<SimulatedPeer> peers)
    {
        if (!world.Operator.IsIdle || world.Invariants.Membership.ConfState.VotersOutgoing.Count > 0)
            return false;
        // A peer whose file doesn't vouch for its storage needs the word of all others; and one that is old must be found.
        if (world.Peers.Exists(peer => (world.IsSound(peer) && !peer.IsVouchedFor) || peer is { IsOld: true, IsFound: false }))
            return false;
        IReadOnlyList<Raft.PeerId> voters = world.Invariants.Membership.ConfState.Voters;
        int lost = voters.Count(id => world.PeerOf(id) is { } voter && (voter.IsLost || peers.Contains(voter)));
        return lost * 2 < voters.Count;
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
