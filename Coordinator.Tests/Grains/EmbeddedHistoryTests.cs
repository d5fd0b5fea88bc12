using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Simulation.Linearizability;
using Coordinator.Tests.Linearizability;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Grains;

/// <summary>
/// Hosts that take one PostgreSQL over from each other, and leaders that stop, while callers ask whichever host they like,
/// fenced-off ones too: what they saw is linearizable.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class EmbeddedHistoryTests(PostgresServer server) : IAsyncLifetime
{
    private const int Hosts = 3;
    private const int Callers = 6;
    private const int Keys = 2;
    private const int WritesPerHost = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly OperationRecorder<ConfigInput, ConfigOutput> _recorder = new(TimeProvider.System);
    private readonly List<SiloGroups> _groups = [];
    private volatile GroupGateway[] _gateways = [];
    private string _database = "";
    private long _writes;

    public async Task InitializeAsync() => _database = await server.CreateDatabaseAsync();

    public async Task DisposeAsync()
    {
        foreach (SiloGroups group in _groups)
            await group.DisposeAsync();
        await server.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task What_callers_saw_while_hosts_took_over_from_each_other_is_linearizable()
    {
        await AddHostAsync();
        using var stopping = new CancellationTokenSource();
        Task[] callers = [.. Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller, stopping.Token)))];
        for (int host = 1; host < Hosts; host++)
        {
            await WritesAsync(callers);
            StopLeader(_groups[^1][0]);
            await WritesAsync(callers);
            await AddHostAsync();
        }
        await WritesAsync(callers);
        await stopping.CancelAsync();
        await Task.WhenAll(callers).WaitAsync(Patience);

        CheckResult result = HistoryAssert.IsLinearizable(new ConfigModel(), _recorder);
        Assert.Equal(Keys, result.Partitions.Count);
    }

    private async Task CallAsync(int caller, CancellationToken stopping)
    {
        var random = new Random(caller);
        var recorded = new RecordedGateway(_recorder);
        for (long count = 1; !stopping.IsCancellationRequested; count++)
        {
            GroupGateway[] gateways = _gateways;
            // The newest answers soonest; an older one may only refuse.
            GroupGateway gateway = random.Next(4) == 0 ? gateways[random.Next(gateways.Length)] : gateways[^1];
            string key = $"history/{random.Next(Keys)}";
            if (random.Next(2) == 0)
                await recorded.ReadAsync(gateway, caller, key);
            else if (await recorded.PutAsync(gateway, caller, key, $"{caller}.{count}"))
                Interlocked.Increment(ref _writes);
        }
    }

    /// <summary>It fences the hosts before it off; they stay, and are asked all the same.</summary>
    private async Task AddHostAsync()
    {
        _groups.Add(await SiloGroups.StartAsync(
            new SiloGroupOptions
            {
                Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(_database) },
                SiloId = "test",
                LeaderTimeout = TimeSpan.FromSeconds(1),
                Replica = new ReplicaOptions { TickUs = 20_000 },
            },
            TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None));
        _gateways = [.. _groups.Select(group => group.Gateways[0])];
    }

    private static void StopLeader(SiloGroup group)
    {
        foreach (PeerLoop leader in group.Peers.Where(peer => peer.Peer.Value == group.Gateway.GetStatus().LeaderId))
            leader.Post(new PeerInput.Halt(ServiceState.Stopped, "stopped by the test"));
    }

    private async Task WritesAsync(Task[] callers)
    {
        long enough = Interlocked.Read(ref _writes) + WritesPerHost;
        using var patience = new CancellationTokenSource(Patience);
        while (Interlocked.Read(ref _writes) < enough)
        {
            if (callers.FirstOrDefault(caller => caller.IsFaulted) is { } faulted)
                await faulted;
            await Task.Delay(10, patience.Token);
        }
    }
}
