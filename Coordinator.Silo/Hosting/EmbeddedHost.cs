using System.Net.Sockets;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Silo.Http;
using Coordinator.Silo.Wire;
using Npgsql;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// All peers of one group in this process, over one PostgreSQL. Serves from <see cref="Configure"/> on; after
/// <see cref="DisposeAsync"/> no peer writes.
/// </summary>
internal sealed class EmbeddedHost : IAsyncDisposable
{
    private readonly EmbeddedGroup _group;
    private readonly string _siloId;

    private EmbeddedHost(EmbeddedGroup group, string siloId)
    {
        _group = group;
        _siloId = siloId;
    }

    /// <summary>Whether a linearizable request would be served now.</summary>
    public bool IsReady => _group.Gateway.IsReady;

    /// <exception cref="StartupException">The database cannot be used, or its group not be opened.</exception>
    public static async Task<EmbeddedHost> StartAsync(
        string connectionString, CoordinatorOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        string siloId = $"{Environment.MachineName}:{Environment.ProcessId}";
        try
        {
            EmbeddedGroup group = await EmbeddedGroup.StartAsync(
                GroupOptions(connectionString, options, siloId), TimeProvider.System, loggers, cancellationToken);
            return new EmbeddedHost(group, siloId);
        }
        catch (Exception e) when (e is GroupStartException or CorruptRowException)
        {
            throw new StartupException(ExitCode.GroupNotStarted, e.Message, e);
        }
        catch (DatabaseRefusedException e)
        {
            throw new StartupException(ExitCode.NoPostgres, e.Message, e);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or SocketException)
        {
            NpgsqlConnectionStringBuilder parts = new(connectionString);
            throw new StartupException(
                ExitCode.NoPostgres,
                $"The PostgreSQL server at {parts.Host}:{parts.Port}, database {parts.Database}, cannot be used: "
                + $"{e.Message} Start it, or correct ConnectionStrings__Coordinator.",
                e);
        }
    }

    /// <summary>Puts the group's interfaces into the pipeline.</summary>
    public void Configure(IApplicationBuilder pipeline)
    {
        pipeline.UseCoordinatorGuards();
        pipeline.MapCoordinatorWire(
            _group.Gateway, new Welcome { ClusterId = _group.ClusterId.ToString(), Groups = 1, SiloId = _siloId });
        pipeline.MapCoordinatorHttp(_group.Gateway);
    }

    public ValueTask DisposeAsync() => _group.DisposeAsync();

    private static EmbeddedGroupOptions GroupOptions(string connectionString, CoordinatorOptions options, string siloId) => new()
    {
        Database = new PeerDatabaseOptions { ConnectionString = connectionString },
        SiloId = siloId,
        Peers = options.Peers,
        Replica = new ReplicaOptions
        {
            // The heartbeat is the tick: the election time-out is a whole number of them.
            TickUs = (long)options.HeartbeatInterval.TotalMicroseconds,
            ElectionTicks = (int)Math.Ceiling(options.ElectionTimeout / options.HeartbeatInterval),
            HeartbeatTicks = 1,
            CheckEntries = options.StateCheckEntries,
        },
    };
}
