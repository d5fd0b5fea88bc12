using Coordinator.Contracts;
using Coordinator.Grains.Orleans;
using Coordinator.Silo.Hosting;
using Coordinator.Silo.Http;
using Coordinator.Silo.Wire;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Coordinator.Silo.Orleans;

/// <summary>
/// A silo of an Orleans cluster of this program alone. Answers HTTP from the beginning, and native clients as soon as the
/// groups are found.
/// </summary>
internal sealed class OrleansHost : SiloHost
{
    private readonly IHost _host;
    private readonly OrleansOptions _options;
    private readonly OrleansGroups _groups;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _following = Task.CompletedTask;
    private volatile bool _isStopping;

    private OrleansHost(IHost host, OrleansOptions options)
    {
        _host = host;
        _options = options;
        _groups = host.Services.GetRequiredService<OrleansGroups>();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(SiloStopped);
    }

    public override bool IsReady => _groups.IsReady;

    public override Task Failed => _failed.Task;

    /// <param name="serve">Called now, and again when there is more for <see cref="Configure"/> to put in.</param>
    /// <exception cref="StartupException">The database or the silo's address cannot be used.</exception>
    public static async Task<OrleansHost> StartAsync(
        string connectionString, CoordinatorOptions options, Action<SiloHost> serve, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        OrleansHost host = new(Build(connectionString, options, loggers), options.Orleans!);
        try
        {
            // The silo needs its tables before it looks for the others.
            await OrleansTables.InstallAsync(connectionString, cancellationToken);
            await host._host.StartAsync(cancellationToken);
        }
        catch (Exception e)
        {
            await host.DisposeAsync();
            if (Explain(e, connectionString) is { } explained)
                throw explained;
            throw new StartupException(
                ExitCode.AddressUnavailable,
                $"The silo cannot be started at {options.Orleans!.Endpoint}, gateway port {options.Orleans.GatewayPort}: {e.Message} "
                + "(options Coordinator:Orleans:Endpoint and Coordinator:Orleans:GatewayPort)", e);
        }
        serve(host);
        host._following = host.FollowFoundingAsync(serve, connectionString);
        return host;
    }

    public override void Configure(IApplicationBuilder pipeline)
    {
        pipeline.UseCoordinatorGuards();
        if (_groups.Founded.IsCompletedSuccessfully)
        {
            pipeline.MapCoordinatorWire(
                _groups.Gateways, new Welcome { ClusterId = _groups.Founded.Result.ToString(), SiloId = _options.SiloName });
        }
        pipeline.MapCoordinatorHttp(_groups.Gateways);
    }

    public override async ValueTask DisposeAsync()
    {
        _isStopping = true;
        try
        {
            await _host.StopAsync();
        }
        finally
        {
            // Also of a silo that did not come to its start.
            await _groups.DisposeAsync();
            await _following;
            if (_host is IAsyncDisposable host)
                await host.DisposeAsync();
            else
                _host.Dispose();
        }
    }

    private static IHost Build(string connectionString, CoordinatorOptions options, ILoggerFactory loggers)
    {
        OrleansOptions orleans = options.Orleans!;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(loggers);
        // The signals are the process's own affair: see StopSignals.
        builder.Services.AddSingleton<IHostLifetime, WebServer.NoLifetime>();
        string tables = OrleansTables.ConnectionString(connectionString);
        builder.UseOrleans(silo =>
        {
            silo.Configure<global::Orleans.Configuration.ClusterOptions>(cluster =>
            {
                cluster.ClusterId = orleans.ClusterId;
                cluster.ServiceId = orleans.ServiceId;
            });
            silo.Configure<SiloOptions>(named => named.SiloName = orleans.SiloName);
            silo.ConfigureEndpoints(orleans.Endpoint.Address, orleans.Endpoint.Port, orleans.GatewayPort);
            silo.UseAdoNetClustering(clustering =>
            {
                clustering.Invariant = OrleansTables.Invariant;
                clustering.ConnectionString = tables;
            });
            silo.UseAdoNetReminderService(reminders =>
            {
                reminders.Invariant = OrleansTables.Invariant;
                reminders.ConnectionString = tables;
            });
            if (orleans.Zone is { } zone)
                silo.UseSiloMetadata(new Dictionary<string, string> { [PeerWhereabouts.ZoneKey] = zone });
            silo.UseCoordinatorMembership();
            silo.UseCoordinator(new OrleansGroupOptions
            {
                ConnectionString = connectionString,
                Databases = orleans.Databases,
                ReplaceLostPeersAfter = orleans.ReplaceLostPeersAfter,
                Groups = options.Groups,
                Peers = options.Peers,
                Replica = ReplicaOptionsOf(options),
            });
        });
        return builder.Build();
    }

    private async Task FollowFoundingAsync(Action<SiloHost> serve, string connectionString)
    {
        try
        {
            await _groups.Founded;
            serve(this);
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
        catch (Exception e)
        {
            _failed.TrySetException(Explain(e, connectionString) ?? e);
        }
    }

    private void SiloStopped()
    {
        if (!_isStopping)
            _failed.TrySetException(new StartupException(ExitCode.GroupNotStarted, "The Orleans silo has stopped by itself; its log says why."));
    }
}
