using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Silo.Http;
using Coordinator.Silo.Wire;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// All peers of all groups in this process, over one PostgreSQL. Serves from <see cref="Configure"/> on; after
/// <see cref="DisposeAsync"/> no peer writes.
/// </summary>
internal sealed class EmbeddedHost : SiloHost
{
    private readonly SiloGroups _groups;
    private readonly string _siloId;

    private EmbeddedHost(SiloGroups groups, string siloId)
    {
        _groups = groups;
        _siloId = siloId;
    }

    public override bool IsReady => _groups.IsReady;

    /// <param name="restore">What a new cluster is made of; null: of nothing.</param>
    /// <exception cref="StartupException">The database cannot be used, or its groups not be opened.</exception>
    public static async Task<EmbeddedHost> StartAsync(
        string connectionString, CoordinatorOptions options, ClusterRestore? restore, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        string siloId = $"{Environment.MachineName}:{Environment.ProcessId}";
        try
        {
            SiloGroups groups = await SiloGroups.StartAsync(
                GroupOptions(connectionString, options, restore, siloId), TimeProvider.System, loggers, cancellationToken);
            return new EmbeddedHost(groups, siloId);
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
            _groups.Gateways, new Welcome { ClusterId = _groups.ClusterId.ToString(), SiloId = _siloId });
        pipeline.MapCoordinatorHttp(_groups.Gateways);
    }

    public override ValueTask DisposeAsync() => _groups.DisposeAsync();

    private static SiloGroupOptions GroupOptions(
        string connectionString, CoordinatorOptions options, ClusterRestore? restore, string siloId) => new()
        {
            Database = new PeerDatabaseOptions { ConnectionString = connectionString },
            SiloId = siloId,
            Groups = options.Groups,
            Peers = options.Peers,
            Replica = ReplicaOptionsOf(options),
            Witness = WitnessOptionsOf(options),
            Restore = restore,
        };
}
