using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>Adds the groups' peers to a silo.</summary>
internal static class OrleansGroupExtensions
{
    /// <summary>
    /// The peers, their placement, and a grain directory and a storage by the name of
    /// <see cref="OrleansGroups.ProviderName"/>, in tables of the project's own beside those of the peers.
    /// </summary>
    public static ISiloBuilder AddOrleansGroup(this ISiloBuilder builder, OrleansGroupOptions options)
    {
        options.Validate();
        string tables = OrleansTables.ConnectionString(options.ConnectionString);
        builder.AddAdoNetGrainDirectory(OrleansGroups.ProviderName, directory =>
        {
            directory.Invariant = OrleansTables.Invariant;
            directory.ConnectionString = tables;
        });
        builder.AddAdoNetGrainStorage(OrleansGroups.ProviderName, storage =>
        {
            storage.Invariant = OrleansTables.Invariant;
            storage.ConnectionString = tables;
        });
        builder.AddPlacementDirector<PeerPlacement, PeerPlacementDirector>();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<PeerPlaces>();
        builder.Services.AddSingleton(services => new OrleansGroups(
            options, services.GetRequiredService<PeerPlaces>(), services.GetRequiredService<IGrainFactory>(),
            services.GetRequiredService<ILocalSiloDetails>(), services.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddSingleton(services => services.GetRequiredService<OrleansGroups>().Gateways);
        builder.Services.AddSingleton<PeerWhereabouts>();
        builder.AddGrainService<PeersHereService>();
        builder.Services.AddSingleton<PeersHereClient>();
        builder.Services.AddSingleton<PeerLookout>();
        builder.Services.AddSingleton<PeerBalancer>();
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, OrleansGroupLifecycle>();
        return builder;
    }
}

/// <summary>
/// Installs the tables before anything reads them, and starts the groups when the silo is a member. When it stops, leadership
/// is handed over first (rule 26); then Orleans ends all activations, the peers' among them; and only when no grain is left
/// that might still want something, the groups end.
/// </summary>
internal sealed class OrleansGroupLifecycle(
    OrleansGroups groups, PeerLookout lookout, PeerBalancer balancer, IServiceProvider services, ILogger<OrleansGroups> log)
    : ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle observer)
    {
        observer.Subscribe(
            "Coordinator.Tables", ServiceLifecycleStage.First,
            stopping => OrleansTables.InstallAsync(groups.Options.ConnectionString, stopping));
        observer.Subscribe("Coordinator", ServiceLifecycleStage.Active, Start, _ => groups.HandOverAsync());
        observer.Subscribe(
            "Coordinator.End", ServiceLifecycleStage.ApplicationServices, _ => Task.CompletedTask,
            _ => groups.DisposeAsync().AsTask());
    }

    private Task Start(CancellationToken cancellationToken)
    {
        MembershipSettings.WarnOfOthers(services, log);
        groups.Start(lookout, balancer);
        return Task.CompletedTask;
    }
}
