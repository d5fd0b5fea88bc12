using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Invariants;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>Executes one process's storage effects, as the real shell does, and posts what became of them.</summary>
internal sealed class StorageWorker(World world, SimulatedPeer peer, PeerProcess process, Prng random)
{
    private const long RetryMinUs = 50_000;
    private const long RetryMaxUs = 2_000_000;

    private readonly List<long> _tries = [];
    private long _triesOfEpoch;

    private SimulatedDatabase Database => peer.Database;

    public void Activate()
    {
        // Before the activation: the file of a process that follows names a later one.
        StorageWitness? file = peer.File;
        Database.Activate(peer.Key, answer => Activated(answer, file));
    }

    private void Activated(ActivationAnswer answer, StorageWitness? file)
    {
        if (!process.IsAlive)
            return;
        switch (answer)
        {
            case ActivationAnswer.Activated activated:
                process.Activated(activated.Peer, new StorageEvidence(file));
                break;
            case ActivationAnswer.Unavailable:
                world.Events.After(random.Between(100_000, 400_000), () =>
                {
                    if (process.IsAlive)
                        Activate();
                });
                break;
            default:
                world.Trace.Add($"peer {peer.Id}: cannot be activated: {answer}");
                InvariantSet.NotActivated(process, answer);
                break;
        }
    }

    public void Collect(ReplicaEffects effects, List<Action> actions)
    {
        if (effects.Persist is { } write)
            actions.Add(() => Write(write));
        if (effects.ReadEpoch is { } epoch)
            actions.Add(() => ReadEpoch(epoch));
        if (effects.WriteSnapshot is { } snapshot)
            actions.Add(() => WriteSnapshot(snapshot, RetryMinUs));
        if (effects.SnapshotInForce is { } inForce)
            actions.Add(() => world.Events.After(random.Between(500, 50_000), () => Database.DeleteChunksExcept(peer.Key, inForce)));
        if (effects.RecordWitness is { } witness)
            actions.Add(() => Record(witness));
        if (effects.Reactivate is { } request)
            actions.Add(() => Reactivate(request, RetryMinUs));
    }

    /// <summary>By renaming: the old one or the new one is there, whatever happens meanwhile.</summary>
    private void Record(StorageWitness witness) => world.Events.After(random.Skewed(100, 30_000), () =>
    {
        if (!process.IsAlive)
            return;
        // Two processes of one peer have a folder each; what the newer one has written counts.
        if (peer.File is null || peer.File.Mark.Epoch <= witness.Mark.Epoch)
            peer.File = witness;
        world.Events.After(random.Between(50, 500), () => process.Post(machine => machine.WitnessRecorded(witness.Mark)));
    });

    private void Write(PeerWrite write) => Database.Write(write, outcome =>
    {
        if (outcome != WriteOutcome.Committed)
            world.Trace.Add($"peer {peer.Id}: write {write.Epoch}.{write.WriteSeq} ended as {outcome}");
        process.Post(machine => machine.WriteEnded(write.Epoch, outcome));
    });

    private void ReadEpoch(long asked) => Database.ReadEpoch(peer.Key, answer =>
    {
        if (answer.IsAvailable && answer.Epoch == asked)
            world.Happenings.Count(Happening.EpochConfirmed);
        process.Post(machine =>
        {
            if (answer.IsAvailable)
                machine.EpochRead(asked, answer.Epoch);
            else
                machine.EpochUnavailable(asked);
        });
    });

    private void WriteSnapshot(SnapshotBytes snapshot, long delayUs)
    {
        if (!process.IsAlive)
            return;
        Database.WriteChunks(peer.Key, snapshot.Epoch, snapshot.Id, snapshot.Data, isDurable =>
        {
            if (isDurable || random.Chance(0.1))
                process.Post(machine => machine.SnapshotWritten(snapshot.Epoch, snapshot.Id, isDurable));
            else
                world.Events.After(delayUs, () => WriteSnapshot(snapshot, Longer(delayUs)));
        });
    }

    private void Reactivate(ReactivationRequest request, long delayUs)
    {
        if (!process.IsAlive)
            return;
        if (_triesOfEpoch != request.Epoch)
            _tries.Clear();
        _triesOfEpoch = request.Epoch;
        long mark = Database.NewMark();
        long[] earlier = [.. _tries];
        _tries.Add(mark);
        Database.Reactivate(peer.Key, request.Epoch, request.AcknowledgedWriteSeq, mark, earlier, answer =>
        {
            if (process.IsAlive)
                Settle(request, answer, delayUs);
        });
    }

    private void Settle(ReactivationRequest request, ActivationAnswer answer, long delayUs)
    {
        switch (answer)
        {
            case ActivationAnswer.Activated activated:
                process.ReactivatedAs(activated.Peer);
                break;
            case ActivationAnswer.Superseded superseded:
                process.Post(machine => machine.Halt(ServiceState.Stopped, $"Activation {superseded.Epoch} has taken over."));
                break;
            case ActivationAnswer.Missing:
                process.Post(machine => machine.Halt(ServiceState.Quarantined, "The peer's row is missing."));
                break;
            case ActivationAnswer.WentBack wentBack:
                process.Post(machine => machine.WentBack(wentBack.Detail));
                break;
            default:
                world.Events.After(delayUs, () => Reactivate(request, Longer(delayUs)));
                break;
        }
    }

    private static long Longer(long delayUs) => Math.Min(delayUs * 2, RetryMaxUs);
}
