using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>Adds a group's peers to a silo.</summary>
internal static class OrleansGroupExtensions
{
    /// <summary>
    /// The peers, their placement, and a grain directory and a storage by the name of
    /// <see cref="OrleansGroup.ProviderName"/>, in tables of the project's own beside those of the peers.
    /// </summary>
    public static ISiloBuilder AddOrleansGroup(this ISiloBuilder builder, OrleansGroupOptions options)
    {
        options.Validate();
        string tables = OrleansTables.ConnectionString(options.ConnectionString);
        builder.AddAdoNetGrainDirectory(OrleansGroup.ProviderName, directory =>
        {
            directory.Invariant = OrleansTables.Invariant;
            directory.ConnectionString = tables;
        });
        builder.AddAdoNetGrainStorage(OrleansGroup.ProviderName, storage =>
        {
            storage.Invariant = OrleansTables.Invariant;
            storage.ConnectionString = tables;
        });
        builder.AddPlacementDirector<PeerPlacement, PeerPlacementDirector>();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<OrleansGroup>();
        builder.Services.AddSingleton(services => services.GetRequiredService<OrleansGroup>().Gateway);
        builder.Services.AddSingleton<PeerWhereabouts>();
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, OrleansGroupLifecycle>();
        return builder;
    }
}

/// <summary>
/// Installs the tables before anything reads them, and starts the group when the silo is a member. When it stops, leadership
/// is handed over first (rule 26); then Orleans ends all activations, the peers' among them; and only when no grain is left
/// that might still want something, the group ends.
/// </summary>
internal sealed class OrleansGroupLifecycle(
    OrleansGroup group, PeerWhereabouts whereabouts, IServiceProvider services, ILogger<OrleansGroup> log)
    : ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle observer)
    {
        observer.Subscribe(
            "Coordinator.Tables", ServiceLifecycleStage.First,
            stopping => OrleansTables.InstallAsync(group.Options.ConnectionString, stopping));
        observer.Subscribe("Coordinator", ServiceLifecycleStage.Active, Start, _ => group.HandOverAsync());
        observer.Subscribe(
            "Coordinator.End", ServiceLifecycleStage.ApplicationServices, _ => Task.CompletedTask,
            _ => group.DisposeAsync().AsTask());
    }

    private Task Start(CancellationToken cancellationToken)
    {
        MembershipSettings.WarnOfOthers(services, log);
        group.Start(new PeerBalancer(group, whereabouts, group.Time, log));
        return Task.CompletedTask;
    }
}
