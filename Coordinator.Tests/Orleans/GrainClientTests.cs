using Coordinator.Client;
using Coordinator.Client.Orleans;
using Coordinator.Contracts.Orleans;
using Coordinator.Grains.Orleans;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Coordinator.Tests.Orleans;

/// <summary>Grains and Orleans clients that use Coordinator through grain calls; two silos.</summary>
[Collection(PostgresCollection.Name)]
public sealed class GrainClientTests(PostgresServer server) : SiloScenario(server)
{
    protected override int Silos => 2;

    [Fact]
    public async Task Grains_of_all_silos_take_one_lock_in_turn()
    {
        Task<long>[] adding = [.. Enumerable.Range(0, 20).Select(i =>
            Running[i % 2].Grains.GetGrain<IOrderGrain>($"order {i}").AddUnderLockAsync("sum"))];
        long[] sums = await Task.WhenAll(adding).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(1, 20).Select(sum => (long)sum), sums.Order());
    }

    [Fact]
    public async Task A_grain_leases_campaigns_and_is_told_no()
    {
        IOrderGrain first = Running[0].Grains.GetGrain<IOrderGrain>("first");
        IOrderGrain second = Running[1].Grains.GetGrain<IOrderGrain>("second");
        Assert.True(await first.TryLeaseAsync("job").WaitAsync(Patience));
        Assert.False(await second.TryLeaseAsync("job").WaitAsync(Patience));
        Assert.Equal("me", await second.CampaignAsync("election", "me").WaitAsync(Patience));
    }

    [Fact]
    public async Task An_Orleans_client_holds_locks_and_watches_configuration()
    {
        using IHost host = await StartClientAsync();
        CoordinatorClient client = host.Services.GetRequiredService<CoordinatorClient>();
        Assert.Same(client, host.Services.GetRequiredService<IClusterClient>().GetCoordinator());
        await using LockHandle held = await client.Locks.AcquireAsync("from/outside").WaitAsync(Patience);
        Assert.Null(await Running[1].Grains.GetCoordinator().Locks.TryAcquireAsync("from/outside").WaitAsync(Patience));

        using var stopping = new CancellationTokenSource(Patience);
        CoordinatorConfiguration elsewhere = Running[1].Grains.GetCoordinator().Configuration;
        ConfigRevision old = await elsewhere.PutAsync("setting", "old", cancellationToken: stopping.Token);
        await using IAsyncEnumerator<ConfigUpdate> updates = client.Configuration
            .WatchAsync("setting", new WatchOptions { FromRevision = old.Revision }, stopping.Token).GetAsyncEnumerator(stopping.Token);
        Assert.True(await updates.MoveNextAsync());
        ValueTask<bool> next = updates.MoveNextAsync();
        await elsewhere.PutAsync("setting", "new", cancellationToken: stopping.Token);
        Assert.True(await next);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_value_of_a_megabyte_goes_through_grain_calls_and_back()
    {
        byte[] value = new byte[1024 * 1024];
        new Random(1).NextBytes(value);
        CoordinatorConfiguration configuration = Running[0].Grains.GetCoordinator().Configuration;
        await configuration.PutAsync("large", value).WaitAsync(Patience);
        ConfigEntry? read = await Running[1].Grains.GetCoordinator().Configuration.GetAsync("large").WaitAsync(Patience);
        Assert.Equal(value, read!.Value.ToArray());
    }

    [Fact]
    public async Task A_connection_in_which_a_message_is_missing_ends()
    {
        IConnectionGrain connection = Running[0].Grains.GetGrain<IConnectionGrain>(Guid.NewGuid());
        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.SendAsync(1, [1]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.ReceiveAsync(3));
    }

    [Fact]
    public async Task A_clients_leaving_gives_its_locks_back()
    {
        CoordinatorClient other = Running[1].Grains.CreateCoordinator(new CoordinatorClientOptions());
        await other.Locks.AcquireAsync("left").WaitAsync(Patience);
        CoordinatorLocks locks = Running[0].Grains.GetCoordinator().Locks;
        Assert.Null(await locks.TryAcquireAsync("left").WaitAsync(Patience));
        await other.DisposeAsync();
        await using LockHandle held = await locks.AcquireAsync("left").WaitAsync(Patience);
    }

    private async Task<IHost> StartClientAsync()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster => cluster.ClusterId = cluster.ServiceId = "test");
            client.UseAdoNetClustering(clustering =>
            {
                clustering.Invariant = OrleansTables.Invariant;
                clustering.ConnectionString = OrleansTables.ConnectionString(Options().ConnectionString);
            });
            client.UseCoordinator();
        });
        IHost host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
