using System.Net;
using System.Net.Sockets;
using Coordinator.Grains.Orleans;
using Coordinator.Silo.Orleans;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Coordinator.Tests.Orleans;

/// <summary>A silo of somebody's application, in this process, with Coordinator added to it.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost _host;

    private TestSilo(IHost host, int gatewayPort)
    {
        _host = host;
        GatewayPort = gatewayPort;
    }

    public int GatewayPort { get; }

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public OrleansGroups Groups => _host.Services.GetRequiredService<OrleansGroups>();

    /// <summary>The first.</summary>
    public OrleansGroup Group => Groups.Groups[0];

    public T Get<T>() where T : notnull => _host.Services.GetRequiredService<T>();

    public static async Task<TestSilo> StartAsync(OrleansGroupOptions options, Action<ISiloBuilder>? configure = null)
    {
        int siloPort = FreePort(), gatewayPort = FreePort();
        string tables = OrleansTables.ConnectionString(options.ConnectionString);
        await OrleansTables.InstallAsync(options.ConnectionString, CancellationToken.None);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(cluster => cluster.ClusterId = cluster.ServiceId = "test");
            silo.ConfigureEndpoints(IPAddress.Loopback, siloPort, gatewayPort);
            silo.UseAdoNetClustering(clustering =>
            {
                clustering.Invariant = OrleansTables.Invariant;
                clustering.ConnectionString = tables;
            });
            silo.AddAdoNetGrainStorageAsDefault(storage =>
            {
                storage.Invariant = OrleansTables.Invariant;
                storage.ConnectionString = tables;
            });
            silo.UseCoordinatorMembership();
            silo.UseCoordinator(options);
            configure?.Invoke(silo);
        });
        IHost host = builder.Build();
        await host.StartAsync();
        return new TestSilo(host, gatewayPort);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
