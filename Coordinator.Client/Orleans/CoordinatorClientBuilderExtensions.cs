using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;

namespace Coordinator.Client.Orleans;

/// <summary>Adds Coordinator to an Orleans client.</summary>
public static class CoordinatorClientBuilderExtensions
{
    /// <summary>
    /// Makes <see cref="CoordinatorClient"/> a service: the one of <see cref="CoordinatorGrainExtensions.GetCoordinator"/>,
    /// disposed of with the host.
    /// </summary>
    public static IClientBuilder UseCoordinator(this IClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(services => services.GetRequiredService<IClusterClient>().GetCoordinator());
        return builder;
    }
}
