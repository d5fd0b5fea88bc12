using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Silo.Http;
using Coordinator.Silo.Wire;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// All peers of one group in this process, over one PostgreSQL. Serves from <see cref="Configure"/> on; after
/// <see cref="DisposeAsync"/> no peer writes.
/// </summary>
internal sealed class EmbeddedHost : SiloHost
{
    private readonly SiloGroup _group;
    private readonly string _siloId;

    private EmbeddedHost(SiloGroup group, string siloId)
    {
        _group = group;
        _siloId = siloId;
    }

    public override bool IsReady => _group.Gateway.IsReady;

    /// <param name="restore">What a new group is made of; null: of nothing.</param>
    /// <exception cref="StartupException">The database cannot be used, or its group not be opened.</exception>
    public static async Task<EmbeddedHost> StartAsync(
        string connectionString, CoordinatorOptions options, GroupRestore? restore, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        string siloId = $"{Environment.MachineName}:{Environment.ProcessId}";
        try
        {
            SiloGroup group = await SiloGroup.StartAsync(
                GroupOptions(connectionString, options, restore, siloId), TimeProvider.System, loggers, cancellationToken);
            return new EmbeddedHost(group, siloId);
        }
        catch (Exception e) when (Explain(e, connectionString) is { } explained)
        {
            throw explained;
        }
    }

    public override void Configure(IApplicationBuilder pipeline)
    {
        pipeline.UseCoordinatorGuards();
        pipeline.MapCoordinatorWire(
            _group.Gateway, new Welcome { ClusterId = _group.ClusterId.ToString(), Groups = 1, SiloId = _siloId });
        pipeline.MapCoordinatorHttp(_group.Gateway);
    }

    public override ValueTask DisposeAsync() => _group.DisposeAsync();

    private static SiloGroupOptions GroupOptions(
        string connectionString, CoordinatorOptions options, GroupRestore? restore, string siloId) => new()
        {
            Database = new PeerDatabaseOptions { ConnectionString = connectionString },
            SiloId = siloId,
            Peers = options.Peers,
            Replica = ReplicaOptionsOf(options),
            Witness = WitnessOptionsOf(options),
            Restore = restore,
        };
}
