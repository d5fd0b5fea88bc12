using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>
/// A silo's database that goes back in time behind its back, on a real PostgreSQL: its rows are put back as they were. The
/// peer is found before it says anything, whoever remembers, and what was acknowledged is there.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class RollBackTests(PostgresServer server) : IAsyncLifetime
{
    private const string RollBacksVariable = "COORDINATOR_ROLLBACKS";
    private const int RollBacksByDefault = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SilosInMemory _silos = new(server);
    private readonly ConcurrentDictionary<int, int> _events = [];
    private int _puts;

    public async Task InitializeAsync()
    {
        _silos.Logs = new EventLog(_events);
        await _silos.StartAsync(SilosInMemory.Ids);
        foreach (string silo in SilosInMemory.Ids)
            await _silos.Joined(silo).WaitAsync(Patience);
    }

    public async Task DisposeAsync() => await _silos.EndAsync();

    /// <summary>What goes back with the rows, and so can't tell.</summary>
    public enum Lost
    {
        /// <summary>The rows alone: the file beside the silo remembers.</summary>
        Nothing,

        /// <summary>The data folder is lost too: the other two remember.</summary>
        File,

        /// <summary>The whole machine goes back, the file with it: the other two remember.</summary>
        FileGoesBackToo,
    }

    [Fact]
    public async Task A_database_that_goes_back_in_time_is_found_whoever_remembers_and_nothing_acknowledged_is_lost()
    {
        int rollBacks = RunSize.Of(RollBacksVariable, RollBacksByDefault);
        var random = new Random(1);
        for (int i = 0; i < rollBacks; i++)
        {
            string silo = SilosInMemory.Ids[random.Next(3)];
            await RollBackAsync(silo, (Lost)(i % 3), restarts: i % 2);
        }
    }

    [Fact]
    public async Task A_peer_that_was_found_stays_so_over_restarts()
    {
        await PutSomeAsync();
        await KeepAsync("b", "before");
        await PutSomeAsync();
        await UntilAsync(() => IsRemembered("b"), "the file remembers");
        await _silos.StopAsync("b");
        await PutBackAsync("b", "before");
        for (int i = 0; i < 4; i++)
        {
            await _silos.StartAsync("b");
            await FoundAsync("b");
            await _silos.StopAsync("b");
        }
    }

    [Fact]
    public async Task A_group_that_was_restored_on_purpose_runs_when_its_operator_vouches_for_it_and_from_then_on()
    {
        string kept = await PutSomeAsync();
        await _silos.StopAsync(SilosInMemory.Ids);
        foreach (string silo in SilosInMemory.Ids)
            await KeepAsync(silo, "before");
        await _silos.StartAsync(SilosInMemory.Ids);
        await PutSomeAsync();
        await _silos.StopAsync(SilosInMemory.Ids);
        foreach (string silo in SilosInMemory.Ids)
            await PutBackAsync(silo, "before");
        await _silos.StartAsync(SilosInMemory.Ids);
        foreach (string silo in SilosInMemory.Ids)
            await FoundAsync(silo);

        foreach (bool vouches in (bool[])[true, false])
        {
            await _silos.StopAsync(SilosInMemory.Ids);
            _silos.TrustStorage = vouches;
            await _silos.StartAsync(SilosInMemory.Ids);
            foreach (string silo in SilosInMemory.Ids)
                await RunsAsync(silo, ServiceState.Running);
            await PutSomeAsync();
            Assert.Equal(kept, await GetAsync("c", kept));
        }
    }

    [Fact]
    public async Task A_silo_whose_data_folder_is_lost_waits_for_all_others_and_no_longer()
    {
        await PutSomeAsync();
        await _silos.StopAsync("a", "c");
        Directory.Delete(_silos.WitnessFolderOf("c"), recursive: true);
        await _silos.StartAsync("c");
        await RunsAsync("c", ServiceState.Comparing);
        await UntilAsync(() => _silos["c"].Peers.Single().Status.Detail!.EndsWith("peer 1.", StringComparison.Ordinal), "only peer 1 is missing");
        await _silos.StartAsync("a");
        await RunsAsync("c", ServiceState.Running);
        await PutSomeAsync();
    }

    [Fact]
    public async Task One_that_starts_while_another_is_down_takes_part_by_its_file()
    {
        await PutSomeAsync();
        await _silos.StopAsync("a", "c");
        await _silos.StartAsync("c");
        await RunsAsync("c", ServiceState.Running);
        await PutSomeAsync("b");
    }

    private async Task RollBackAsync(string silo, Lost lost, int restarts)
    {
        await PutSomeAsync();
        await KeepAsync(silo, "before");
        string? fileBefore = ReadFile(silo);
        for (int i = 0; i < restarts; i++)
        {
            await _silos.StopAsync(silo);
            await _silos.StartAsync(silo);
            await RunsAsync(silo, ServiceState.Running);
        }
        string last = await PutSomeAsync();
        await UntilAsync(() => IsRemembered(silo), "the file remembers");
        await _silos.StopAsync(silo);
        string? fileNow = ReadFile(silo);
        await KeepAsync(silo, "now");
        await PutBackAsync(silo, "before");
        if (lost == Lost.File)
            File.Delete(FileOf(silo));
        else if (lost == Lost.FileGoesBackToo)
            await File.WriteAllTextAsync(FileOf(silo), fileBefore);

        _events.Clear();
        await _silos.StartAsync(silo);
        await FoundAsync(silo);
        await UntilAsync(() => _events.ContainsKey(3040), "the alarm is raised");
        string other = SilosInMemory.Ids.First(id => id != silo);
        Assert.Equal("quarantined", _silos[silo].Gateway.GetStatus().Peers.Single(peer => peer.Silo == silo).State);
        Assert.Equal(last, await GetAsync(other, last));
        await PutSomeAsync(other);

        // Back to the present: no false alarm.
        await _silos.StopAsync(silo);
        await PutBackAsync(silo, "now");
        await File.WriteAllTextAsync(FileOf(silo), fileNow);
        await _silos.StartAsync(silo);
        await RunsAsync(silo, ServiceState.Running);
        Assert.Equal(last, await GetAsync(silo, last));
    }

    private async Task FoundAsync(string silo)
    {
        await RunsAsync(silo, ServiceState.Quarantined);
        Assert.Contains("went back in time", _silos[silo].Peers.Single().Status.Detail, StringComparison.Ordinal);
    }

    private Task RunsAsync(string silo, ServiceState state) =>
        UntilAsync(() => _silos[silo].Peers.SingleOrDefault()?.Status.Service == state, $"silo {silo} is {state}, it is {_silos[silo].Peers.SingleOrDefault()?.Status}");

    /// <summary>The background has caught up: the file and the other voters' rows hold what the peer has promised.</summary>
    private bool IsRemembered(string silo) =>
        _silos[silo].Peers.SingleOrDefault() is { } peer && new WitnessFile(_silos.WitnessFolderOf(silo), Guid.Parse(Path.GetFileName(FileOf(silo)))).Read() is { } file
        && file.Mark.Epoch == peer.Status.Epoch;

    private string FileOf(string silo) => Directory.GetFiles(_silos.WitnessFolderOf(silo)).Single(file => !file.EndsWith(".new", StringComparison.Ordinal));

    private string? ReadFile(string silo) => File.ReadAllText(FileOf(silo));

    private async Task<string> PutSomeAsync(string silo = "a")
    {
        string key = "";
        silo = _silos.IsUp(silo) ? silo : SilosInMemory.Ids.First(_silos.IsUp);
        for (int i = 0; i < 8; i++)
        {
            key = $"key-{_puts++}";
            using var patience = new CancellationTokenSource(Patience);
            CommandAnswer answer;
            do
            {
                answer = await _silos[silo].Gateway.ExecuteAsync(
                    new Command { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(key) } }, patience.Token);
            }
            while (answer.Result.Error != ErrorCode.Ok);
        }
        return key;
    }

    private async Task<string?> GetAsync(string silo, string key)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            QueryAnswer answer = await _silos[silo].Gateway.QueryAsync(
                new Query { GetConfig = new GetConfig { Key = key } }, patience.Token);
            if (answer.Error == ErrorCode.Ok)
                return answer.Entries.Single().Value.ToStringUtf8();
        }
    }

    private async Task KeepAsync(string silo, string name)
    {
        await using NpgsqlConnection connection = await server.ConnectAsync(await _silos.DatabaseOfAsync(silo));
        await RowsPutBack.KeepAsync(connection, name);
    }

    private async Task PutBackAsync(string silo, string name)
    {
        await using NpgsqlConnection connection = await server.ConnectAsync(await _silos.DatabaseOfAsync(silo));
        await RowsPutBack.PutBackAsync(connection, name);
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        long startedAt = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(startedAt) < Patience, $"It never came to this: {what}.");
            await Task.Delay(10);
        }
    }
}
