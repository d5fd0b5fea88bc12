using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

internal sealed partial class InvariantSet
{
    public void WatchBegan(ConfigWatch watch, long nextRevision) => Tell(invariant => invariant.WatchBegan(watch, nextRevision));

    public void ConfigTold(ConfigWatch watch, StreamItem.Revision item)
    {
        _trace.Add($"client {watch.Client.Number}: is told of {item.Events.Count} changes of {watch.Config.Key} up to {item.Number}");
        Tell(invariant => invariant.ConfigTold(watch, item));
    }

    public void LeaderTold(ElectionWatch watch, ElectionState state)
    {
        _trace.Add($"client {watch.Client.Number}: is shown {state} of {watch.Election}");
        Tell(invariant => invariant.LeaderTold(watch, state));
    }

    public void StreamEnded(LibraryWatch watch, Completion.StreamEnded ended)
    {
        _trace.Add($"client {watch.Client.Number}: a watch has ended: {ended}");
        Tell(invariant => invariant.StreamEnded(watch, ended));
    }

    public void HoldingLost(LibraryClient client, Holding holding)
    {
        _trace.Add($"client {client.Number}: is told that {holding.Name} with token {holding.Token} is lost");
        Tell(invariant => invariant.HoldingLost(client, holding));
    }

    public void ReleaseAsked(LibraryClient client, Holding holding)
    {
        _trace.Add($"client {client.Number}: is asked to let go of {holding.Name} with token {holding.Token}");
        Tell(invariant => invariant.ReleaseAsked(client, holding));
    }

    public bool HasToldAll(World world) => Array.TrueForAll(_all, invariant => invariant.Untold(world) is null);

    public void RequireTold(World world) => Tell(invariant => invariant.RequireTold(world));
}
