using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

internal sealed partial class InvariantSet
{
    public void SessionAnswered(SessionBelief session, long sentUs)
    {
        foreach (Invariant invariant in _all)
            invariant.SessionAnswered(session, sentUs);
    }

    public void CommandSent(SimulatedClient client, Command command)
    {
        foreach (Invariant invariant in _all)
            invariant.CommandSent(client, command);
    }

    public void QuerySent(SimulatedClient client, Query query)
    {
        foreach (Invariant invariant in _all)
            invariant.QuerySent(client, query);
    }

    public void CommandNeverExecuted(Command command)
    {
        foreach (Invariant invariant in _all)
            invariant.CommandNeverExecuted(command);
    }

    public void SessionGone(long session)
    {
        foreach (Invariant invariant in _all)
            invariant.SessionGone(session);
    }

    public void Woke(SimulatedClient client)
    {
        foreach (Invariant invariant in _all)
            invariant.ClientWoke(client);
    }

    public void CommandAnswered(SimulatedClient client, Command command, CommandAnswer answer)
    {
        _trace.Add($"client {client.Number}: {command.OperationCase} {command.RequestId} answered at {answer.Position.Index}: {answer.Result}");
        foreach (Invariant invariant in _all)
            invariant.CommandAnswered(client, command, answer);
        KnownRevision = Math.Max(KnownRevision, answer.Result.Revision);
        KnownIndex = Math.Max(KnownIndex, answer.Position.Index);
    }

    public void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
        _trace.Add($"client {client.Number}: {query.QueryCase} answered at {answer.Position.Index}");
        foreach (Invariant invariant in _all)
            invariant.ReadAnswered(client, query, floorIndex, answer);
        // What one linearizable read has seen, every later one sees.
        if (!query.Serializable)
            KnownIndex = Math.Max(KnownIndex, answer.Position.Index);
    }

    public void WatchAnswered(SimulatedClient client, Watch watch, long floorRevision, WatchPage page)
    {
        _trace.Add($"client {client.Number}: watch from {watch.Config.FromRevision} is told {page.Events.Count} changes up to {page.NextRevision} {page.Error}");
        foreach (Invariant invariant in _all)
            invariant.WatchAnswered(client, watch, floorRevision, page);
    }

    public void Believes(string name, SimulatedClient client, long token) => _beliefs.Begin(name, client, token);

    public void BelievesStill(string name, SimulatedClient client, long token) => _beliefs.Continue(name, client, token);

    public void StoppedBelieving(string name, SimulatedClient client) => _beliefs.End(name, client);

    /// <summary>A replica ended its service: it must have had a reason.</summary>
    public void Ended(PeerProcess process)
    {
        ReplicaMachine machine = process.Machine!;
        _trace.Add($"peer {process.Peer}.{process.Epoch}: {machine.Service}: {machine.Detail}");
        bool isQuarantine = machine.Service == ServiceState.Quarantined;
        _happenings.Count(isQuarantine ? Happening.Quarantined : Happening.Superseded);
        long stored = process.Owner.Database.Find(process.Owner.Key)?.Epoch ?? 0;
        bool isOutdated = machine.Detail == FeatureLevels.Unsupported(FeatureLevels.Known, process.ProgramLevel);
        if (isQuarantine ? !process.Owner.IsLost : stored <= process.Epoch && !process.Owner.IsLost && !isOutdated)
            throw new InvariantViolation("no false alarm", $"peer {process.Peer}.{process.Epoch} (stored epoch {stored}) ended: {machine.Detail}");
        if (isQuarantine && process.Owner.IsOld)
        {
            bool byFile = machine.Detail!.Contains(StorageWitness.Title, StringComparison.Ordinal);
            _happenings.Count(byFile ? Happening.BackInTimeFoundByFile : Happening.BackInTimeFoundByOthers);
            process.Owner.IsFound = true;
        }
        if (isOutdated)
            process.Owner.ProgramLevel = FeatureLevels.Known;
        if (isQuarantine && process.Owner.IsAltered)
        {
            _happenings.Count(Happening.DivergenceFound);
            process.Owner.IsFound = true;
        }
        process.Owner.Remove(process);
    }

    public static void NotActivated(PeerProcess process, ActivationAnswer answer)
    {
        // A take-over in between is possible; a missing row is not, unless it was lost.
        if (answer is not ActivationAnswer.Superseded && !process.Owner.IsLost)
            throw new InvariantViolation("no false alarm", $"peer {process.Peer} cannot be activated: {answer}");
        process.Owner.Crash(process);
    }
}
