using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Simulation.Clients;

/// <summary>A command at a replica, and who asked for it.</summary>
internal sealed class ClientCommandTicket(SimulatedClient client, ClientRequest request, int sending)
    : CommandTicket(request.Command!, request.Payload)
{
    public SimulatedClient Client { get; } = client;

    public ClientRequest Request { get; } = request;

    /// <summary>Which of the request's sendings this is: a refusal of an earlier one says nothing of a later.</summary>
    public int Sending { get; } = sending;
}

/// <summary>A read at a replica, and who asked for it.</summary>
internal sealed class ClientQueryTicket(SimulatedClient client, ClientRequest request, Query query) : QueryTicket(query)
{
    public SimulatedClient Client { get; } = client;

    public ClientRequest Request { get; } = request;
}

/// <summary>A keep-alive at a replica, and when its client sent it.</summary>
internal sealed class ClientKeepAliveTicket(SimulatedClient client, long sessionId, SentTime sent) : KeepAliveTicket(sessionId)
{
    public SimulatedClient Client { get; } = client;

    public SentTime Sent { get; } = sent;
}

/// <summary>When a request was sent: by its client's clock, and in real time.</summary>
internal readonly record struct SentTime(long LocalUs, long RealUs);
