using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Orleans;

namespace Coordinator.Client.Orleans;

/// <summary>The client of a Coordinator that runs in the same Orleans cluster: for grains, and for Orleans clients.</summary>
public static class CoordinatorGrainExtensions
{
    private static readonly ConditionalWeakTable<IGrainFactory, CoordinatorClient> Clients = [];

    /// <summary>
    /// Locks, leases, elections and configuration over grain calls. One client, with one session, for each grain factory,
    /// and so for each process: made at the first call, shared by all, and not to be disposed of by those who use it.
    /// </summary>
    public static CoordinatorClient GetCoordinator(this IGrainFactory grains)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return Clients.GetValue(grains, made => made.CreateCoordinator(new CoordinatorClientOptions()));
    }

    /// <summary>A client of its own, with options of its own; endpoints and WebSocket don't count.</summary>
    public static CoordinatorClient CreateCoordinator(this IGrainFactory grains, CoordinatorClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(grains);
        ArgumentNullException.ThrowIfNull(options);
        CoordinatorClientOptions own = options.Validated();
        own.OpenSocket = (_, _, _) => Task.FromResult<WebSocket>(new GrainSocket(grains));
        return new CoordinatorClient(own);
    }
}
