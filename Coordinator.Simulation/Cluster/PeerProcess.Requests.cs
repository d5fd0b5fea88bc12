using Coordinator.Simulation.Clients;

namespace Coordinator.Simulation.Cluster;

internal sealed partial class PeerProcess
{
    public void Submit(SimulatedClient client, ClientRequest request, int sending)
    {
        if (request.Query is { } query)
        {
            var read = new ClientQueryTicket(client, request, query);
            Post(machine => machine.Submit(read));
            return;
        }
        var ticket = new ClientCommandTicket(client, request, sending);
        Post(machine => machine.Submit(ticket));
        _world.Events.After(_random.Between(500, 6_000) * 1_000, () =>
        {
            // The connection of whoever asked is gone.
            if (request.IsDone)
                Post(machine => machine.Forget(ticket));
        });
    }

    public void Submit(SimulatedClient client, long sessionId, SentTime sent)
    {
        var ticket = new ClientKeepAliveTicket(client, sessionId, sent);
        Post(machine => machine.Submit(ticket));
    }
}
