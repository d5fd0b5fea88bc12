using Coordinator.Grains;
using Coordinator.Grains.Orleans;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Linearizability;
using Coordinator.Tests.Grains;
using Coordinator.Tests.Linearizability;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Hosting;
using Orleans.Runtime.GrainDirectory;

namespace Coordinator.Tests.Orleans;

/// <summary>
/// Two silos that both have the leader's peer, as Orleans may bring about: each of three silos has a peer, and the directory
/// is made to say that the leader's is on another one.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class DuplicateActivationTests(PostgresServer server) : SiloScenario(server)
{
    private const int Callers = 6;
    private const int Keys = 4;
    private const int ServedBetween = 40;

    private readonly OperationRecorder<ConfigInput, ConfigOutput> _recorder = new(TimeProvider.System);
    private readonly long[] _writes = new long[Callers];
    private readonly long[] _reads = new long[Callers];

    protected override int Silos => 3;

    /// <param name="allLook">
    /// Whether all silos learn of the second one at once; otherwise only the second one itself does, and the third still
    /// follows and confirms the first.
    /// </param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_leaders_second_activation_fences_the_first_one_off_for_reads_too(bool allLook)
    {
        await UntilAsync(
            () => Task.FromResult(Running.All(silo => silo.Group.Peers.Count == 1 && silo.Group.AllRun(out _))), "each silo has a peer");
        TestSilo first = await LeadersSiloAsync();
        PeerId leader = first.Group.Gateway.Leader()!.Peer;
        TestSilo second = Running.First(silo => silo != first);
        long epoch = await EpochAsync(leader);

        // Half of them ask the one silo all along, half the other.
        using var stopping = new CancellationTokenSource();
        Task[] callers = [.. Enumerable.Range(0, Callers).Select(caller => Task.Run(
            () => CallAsync((caller % 2 == 0 ? first : second).Group.Gateway, caller, stopping.Token)))];
        await MoreAsync(callers, _writes);
        await RedirectAsync(leader, second);
        foreach (TestSilo silo in allLook ? Running : [second])
            silo.Get<IGrainDirectoryCache>().Clear();

        PeerKey key = new(0, leader);
        await UntilAsync(() => Task.FromResult(first.Group.Tombstones.LeftOf(key) > TimeSpan.Zero), "the first one has a tombstone");
        Assert.False(second.Group.Tombstones.LeftOf(key) > TimeSpan.Zero);
        await MoreAsync(callers, _writes);
        await MoreAsync(callers, _reads);
        await UntilAsync(
            () => Task.FromResult(Running.Sum(silo => silo.Group.Peers.Count) == 3 && Running.All(silo => silo.Group.AllRun(out _))),
            "each peer runs once");
        await stopping.CancelAsync();
        await Task.WhenAll(callers).WaitAsync(Patience);

        // What was acknowledged before is in what is read last.
        var recorded = new RecordedGateway(_recorder);
        foreach (string name in Enumerable.Range(0, Keys).Select(KeyOf))
            Assert.True(await recorded.ReadAsync(first.Group.Gateway, Callers, name).WaitAsync(Patience));
        Assert.True(await EpochAsync(leader) > epoch);
        CheckResult result = HistoryAssert.IsLinearizable(new ConfigModel(), _recorder);
        Assert.Equal(Keys, result.Partitions.Count);
    }

    protected override OrleansGroupOptions Options() => base.Options() with { LeaderTimeout = TimeSpan.FromSeconds(2) };

    protected override void Configure(ISiloBuilder silo) =>
        silo.Services.AddSingleton<IGrainDirectoryCache, ForgetfulDirectoryCache>();

    private static string KeyOf(int number) => $"twice/{number}";

    private async Task<TestSilo> LeadersSiloAsync()
    {
        TestSilo? found = null;
        await UntilAsync(
            () => Task.FromResult((found = Running.FirstOrDefault(silo => silo.Group.Gateway.Leader() is not null)) is not null),
            "somebody leads");
        return found!;
    }

    private async Task CallAsync(GroupGateway gateway, int caller, CancellationToken stopping)
    {
        var recorded = new RecordedGateway(_recorder);
        var random = new Random(caller);
        for (long count = 1; !stopping.IsCancellationRequested; count++)
        {
            string key = KeyOf(random.Next(Keys));
            bool isRead = random.Next(2) == 0;
            if (isRead ? await recorded.ReadAsync(gateway, caller, key) : await recorded.PutAsync(gateway, caller, key, $"{caller}.{count}"))
                Interlocked.Increment(ref (isRead ? _reads : _writes)[caller]);
        }
    }

    /// <summary>Until each of the callers has been served as often again.</summary>
    private static async Task MoreAsync(Task[] callers, long[] served)
    {
        long[] before = [.. served.Select((_, caller) => Interlocked.Read(ref served[caller]))];
        await UntilAsync(
            async () =>
            {
                foreach (Task caller in callers.Where(caller => caller.IsFaulted))
                    await caller;
                return before.Select((count, caller) => Interlocked.Read(ref served[caller]) - count).Min() >= ServedBetween;
            },
            "callers of both silos are served");
    }

    private async Task<long> EpochAsync(PeerId peer)
    {
        await using NpgsqlConnection connection = await Server.ConnectAsync(Database);
        await using var look = new NpgsqlCommand("SELECT epoch FROM coordinator.peer WHERE peer_id = $1", connection);
        look.Parameters.Add(new NpgsqlParameter { Value = peer.Value });
        return (long)(await look.ExecuteScalarAsync())!;
    }

    /// <summary>Whoever looks now is sent there; the activation that it names is none, so that silo makes one.</summary>
    private async Task RedirectAsync(PeerId peer, TestSilo to)
    {
        PeerId other = to.Group.Picture().Local!.Peer;
        await using NpgsqlConnection connection = await Server.ConnectAsync(Database);
        await using var redirect = new NpgsqlCommand(
            """
            UPDATE coordinator_orleans.activation SET silo = (SELECT silo FROM coordinator_orleans.activation WHERE grain = $2)
            WHERE grain = $1
            """,
            connection);
        redirect.Parameters.Add(new NpgsqlParameter { Value = PeerPlaces.GrainOf(0, peer).ToString() });
        redirect.Parameters.Add(new NpgsqlParameter { Value = PeerPlaces.GrainOf(0, other).ToString() });
        Assert.Equal(1, await redirect.ExecuteNonQueryAsync());
    }
}
