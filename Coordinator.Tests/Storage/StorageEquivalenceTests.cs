using System.Globalization;
using System.Reflection;
using System.Text;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;
using Coordinator.Tests.Postgres;
using Coordinator.Tests.Storage.Equivalence;

namespace Coordinator.Tests.Storage;

/// <summary>
/// What the simulator takes for PostgreSQL behaves like it: the same random scripts on both, with the same answers at each
/// step and the same rows after it.
/// </summary>
public sealed class StorageEquivalenceTests(PostgresServer server) : StorageTest(server)
{
    private const int PlantScriptsMax = 200;
    private static readonly byte[] Blank = Encoding.UTF8.GetBytes("blank");

    private readonly HashSet<Type> _ran = [];

    [Fact]
    public async Task The_simulated_database_answers_as_postgresql_does()
    {
        await using SteeredServer steered = new(() => Server.ConnectAsync(Database));
        ScriptClient[] clients = await OpenClientsAsync();
        await steered.PrepareAsync();
        int scripts = Number("COORDINATOR_STORAGE_SCRIPTS") ?? 100;
        int first = Number("COORDINATOR_STORAGE_SEED") ?? 1;
        for (int seed = first; seed < first + scripts; seed++)
        {
            string? difference = await DifferenceAsync(seed, StoragePlants.None, steered, clients);
            Assert.True(difference is null, $"COORDINATOR_STORAGE_SEED={seed}\n{difference}");
        }
        if (scripts >= 100)
            Assert.Empty(typeof(ScriptStep).GetNestedTypes(BindingFlags.NonPublic).Except(_ran).Select(kind => kind.Name));
    }

    [Theory]
    [InlineData(nameof(StoragePlants.FenceWithoutRowLock), 1)]
    [InlineData(nameof(StoragePlants.FenceWithoutWriteSeq), 1)]
    [InlineData(nameof(StoragePlants.ReactivationOnlyLooks), 1)]
    [InlineData(nameof(StoragePlants.ReactivationIgnoresRollback), 12)]
    [InlineData(nameof(StoragePlants.ActivationInserts), 8)]
    [InlineData(nameof(StoragePlants.ForgetsVote), 1)]
    [InlineData(nameof(StoragePlants.AcknowledgesEarly), 1)]
    [InlineData(nameof(StoragePlants.UnknownIsCommitted), 1)]
    [InlineData(nameof(StoragePlants.KeepsConflictingTail), 42)]
    public async Task A_simulated_database_with_a_planted_bug_differs(string plant, int first)
    {
        await using SteeredServer steered = new(() => Server.ConnectAsync(Database));
        ScriptClient[] clients = await OpenClientsAsync();
        await steered.PrepareAsync();
        var plants = new StoragePlants();
        typeof(StoragePlants).GetProperty(plant)!.SetValue(plants, true);
        string? difference = null;
        for (int seed = first; difference is null && seed < first + PlantScriptsMax; seed++)
            difference = await DifferenceAsync(seed, plants, steered, clients);
        Assert.NotNull(difference);
    }

    private async Task<ScriptClient[]> OpenClientsAsync()
    {
        var clients = new List<ScriptClient>();
        foreach (string name in (string[])["script-0", "script-1"])
        {
            PostgresProxy proxy = StartProxy();
            PeerDatabaseOptions options = Options(proxy.Port);
            PeerDatabase database = await OpenAsync(options with
            {
                ConnectionString = $"{options.ConnectionString};Application Name={name}",
                CheckInterval = TimeSpan.FromHours(1),
                ReconnectDelayMin = TimeSpan.FromMilliseconds(1),
                ReconnectDelayMax = TimeSpan.FromMilliseconds(5),
            });
            clients.Add(new ScriptClient(name, database, proxy));
        }
        return [.. clients];
    }

    private async Task<string?> DifferenceAsync(
        int seed, StoragePlants plants, SteeredServer steered, IReadOnlyList<ScriptClient> clients)
    {
        PeerKey[] peers = [.. Enumerable.Range(1, 3).Select(id => new PeerKey(seed, new PeerId(id)))];
        var model = new ModelStorage((ulong)seed, plants, peers, Blank);
        await using var real = new PostgresStorage(Server, Database, steered, clients, peers);
        await real.BeginAsync(Blank);
        return await StorageScript.DifferenceAsync(
            new ScriptWriter(new Prng((ulong)seed), peers), model, real, step => _ran.Add(step.GetType()));
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : null;
}
