using System.Net.Sockets;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Silo.Http;
using Coordinator.Silo.Links;
using Coordinator.Silo.Wire;
using LinkOptions = Coordinator.Silo.Links.LinkOptions;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// A silo's part of the groups in this process, over its own PostgreSQL, and links with the other silos. Answers
/// HTTP from the beginning, and native clients as soon as it knows its cluster.
/// </summary>
internal sealed class ClusterHost : SiloHost
{
    private readonly ClusterOptions _options;
    private readonly string _connectionString;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger;
    private SiloGroups _groups = null!;
    private SiloLinks _links = null!;
    private Task _joining = Task.CompletedTask;
    private Guid _clusterId;

    private ClusterHost(ClusterOptions options, string connectionString, ILogger logger)
    {
        _options = options;
        _connectionString = connectionString;
        _logger = logger;
    }

    public override bool IsReady => _clusterId != Guid.Empty && _groups.IsReady;

    public override Task Failed => _failed.Task;

    /// <param name="restore">What a new cluster is made of, the same on all silos; null: of nothing.</param>
    /// <param name="serve">Called now, and again when there is more for <see cref="Configure"/> to put in.</param>
    /// <exception cref="StartupException">The database or the links' address cannot be used.</exception>
    public static async Task<ClusterHost> StartAsync(
        string connectionString, CoordinatorOptions options, ClusterRestore? restore, Action<SiloHost> serve,
        ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        ClusterHost host = new(options.Cluster!, connectionString, loggers.CreateLogger("Coordinator"));
        try
        {
            host._groups = await SiloGroups.OpenAsync(
                host.GroupOptions(options, restore), host.Transport(serve), TimeProvider.System, loggers, cancellationToken);
            host._links = new SiloLinks(host.OptionsOfLinks(), host.Handlers(), TimeProvider.System, loggers);
            await host._links.StartAsync(cancellationToken);
        }
        catch (Exception e)
        {
            await host.DisposeAsync();
            if ((e is IOException or SocketException ? host.LinksRefused(e) : Explain(e, connectionString)) is { } explained)
                throw explained;
            throw;
        }
        serve(host);
        host._joining = host.JoinAsync();
        return host;
    }

    public override void Configure(IApplicationBuilder pipeline)
    {
        pipeline.UseCoordinatorGuards();
        if (_clusterId != Guid.Empty)
        {
            pipeline.MapCoordinatorWire(
                _groups.Gateways, new Welcome { ClusterId = _clusterId.ToString(), SiloId = _options.SiloId });
        }
        pipeline.MapCoordinatorHttp(_groups.Gateways);
    }

    public override async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _joining;
        if (_groups is not null)
            await _groups.HandOverAsync();
        // The links' end tells the others that this silo is gone; nothing of the peers' is to be sent after it stops.
        if (_groups is not null)
            await _groups.DisposeAsync();
        if (_links is not null)
            await _links.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task JoinAsync()
    {
        try
        {
            await _groups.JoinAsync(_stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Before it had a peer.
        }
        catch (Exception e)
        {
            _failed.TrySetException(Explain(e, _connectionString) ?? e);
        }
    }

    private SiloGroupOptions GroupOptions(CoordinatorOptions options, ClusterRestore? restore) => new()
    {
        Database = new PeerDatabaseOptions { ConnectionString = _connectionString },
        SiloId = _options.SiloId,
        Silos = [.. _options.Silos.Select(silo => new ClusterMember(silo.Id, silo.Url.GetLeftPart(UriPartial.Authority)))],
        Groups = options.Groups,
        Replica = ReplicaOptionsOf(options),
        Witness = WitnessOptionsOf(options),
        ReplaceLostPeersAfter = _options.ReplaceLostPeersAfter,
        Restore = restore,
    };

    private ClusterTransport Transport(Action<SiloHost> serve) => new()
    {
        Send = (silo, envelope) => _links.Send(silo, envelope),
        IsUp = silo => _links?.StatusOf(silo).IsUp ?? false,
        AskAsync = (silo, request, abandoned) => _links.AskAsync(silo, request, abandoned),
        Tell = facts => _links.Tell(facts),
        ClusterKnown = clusterId =>
        {
            _links.ClusterId = _clusterId = clusterId;
            serve(this);
        },
    };

    private LinkOptions OptionsOfLinks() => new()
    {
        ClusterName = _options.Name,
        SiloId = _options.SiloId,
        Secret = _options.Secret,
        Listen = _options.LinkListen,
        Peers = [.. _options.Silos.Where(silo => silo.Id != _options.SiloId).Select(silo => new LinkPeer(silo.Id, silo.Link))],
    };

    private LinkHandlers Handlers() => new()
    {
        Received = _groups.Received,
        LinkUp = _groups.LinkUp,
        LinkLost = _groups.LinkLost,
        Unreachable = _groups.Unreachable,
        SnapshotFailed = _groups.SnapshotFailed,
        FactsReceived = _groups.FactsReceived,
        Refused = Refused,
        Answer = async call => call.Reply(await _groups.AnswerAsync(call.Request, call.Abandoned)),
    };

    // Another live process is this silo: two of them would fence each other off for ever (rule 27).
    private void Refused(string silo, LinkRefusal refusal, string message)
    {
        if (refusal != LinkRefusal.SiloIdTaken)
            return;
        _logger.SiloIdTaken(_options.SiloId, silo);
        _failed.TrySetException(new StartupException(ExitCode.SiloIdTaken, $"Silo {silo} refused this one: {message}"));
    }

    private StartupException LinksRefused(Exception e) => new(
        ExitCode.AddressUnavailable,
        $"The address {_options.LinkListen} cannot be listened on for the other silos: {e.Message} Choose another one "
        + "(option Coordinator:Cluster:LinkListen, and this silo's Link on all silos).",
        e);
}
