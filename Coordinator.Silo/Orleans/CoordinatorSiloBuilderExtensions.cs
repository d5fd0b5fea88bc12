using Coordinator.Grains.Orleans;
using Coordinator.Silo.Http;
using Orleans.Hosting;

namespace Coordinator.Silo.Orleans;

/// <summary>Adds Coordinator to an Orleans silo.</summary>
public static class CoordinatorSiloBuilderExtensions
{
    /// <summary>
    /// Runs peers of the groups in this silo, and serves grains and Orleans clients through grain calls. The same on every
    /// silo that has it. For HTTP and native clients as well, put <c>MapCoordinatorHttp</c> and <c>MapCoordinatorWire</c>
    /// into the application's pipeline, with the list of <see cref="Grains.GroupGateway"/> that this makes a service.
    /// </summary>
    public static ISiloBuilder UseCoordinator(this ISiloBuilder builder, OrleansGroupOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        builder.Services.AddCoordinatorHttp();
        return builder.AddOrleansGroup(options);
    }
}
