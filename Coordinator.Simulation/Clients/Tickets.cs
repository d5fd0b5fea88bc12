using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Clients;

/// <summary>A command at a replica, and how its answer goes back.</summary>
internal sealed class ClientCommandTicket(
    Command command, ReadOnlyMemory<byte> payload, Action<PeerProcess, CommandAnswer> answered)
    : CommandTicket(command, payload)
{
    public void Answer(PeerProcess process, CommandAnswer answer) => answered(process, answer);
}

/// <summary>A read at a replica, and how its answer goes back.</summary>
internal sealed class ClientQueryTicket(Query query, Action<PeerProcess, QueryAnswer> answered) : QueryTicket(query)
{
    public void Answer(PeerProcess process, QueryAnswer answer) => answered(process, answer);
}

/// <summary>A watch at a replica, and how its page goes back.</summary>
internal sealed class ClientWatchTicket(Watch watch, Action<PeerProcess, WatchPage> answered) : WatchTicket(watch)
{
    public void Answer(PeerProcess process, WatchPage page) => answered(process, page);
}

/// <summary>A keep-alive at a replica, and how its answer goes back.</summary>
internal sealed class ClientKeepAliveTicket(long sessionId, Action<PeerProcess, KeepAliveAnswer> answered)
    : KeepAliveTicket(sessionId)
{
    public void Answer(PeerProcess process, KeepAliveAnswer answer) => answered(process, answer);
}
