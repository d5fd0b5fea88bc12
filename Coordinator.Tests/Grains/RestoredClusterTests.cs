using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Tests.Backup;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>How silos become a cluster of two groups that is made of snapshot files, whatever stops or differs in between.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RestoredClusterTests(PostgresServer server) : IAsyncLifetime
{
    private const int Groups = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan HoldBack = TimeSpan.FromMinutes(5);
    private static readonly Guid Before = Guid.NewGuid();
    private static readonly ClusterRestore Files = Of("blue");
    private static readonly ClusterRestore Others = Of("green");

    private readonly SilosInMemory _silos = new(server) { Groups = _ => Groups, Restore = _ => Files };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _silos.EndAsync();

    [Fact]
    public async Task Silos_with_the_same_files_become_one_cluster_of_what_is_in_them_and_grant_nothing_yet()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        Assert.NotEqual(Before, await OneClusterAsync());
        for (int group = 0; group < Groups; group++)
        {
            (string First, long Index)[] rows = await Task.WhenAll(SilosInMemory.Ids.Select(silo => FirstStateAsync(silo, group)));
            Assert.Single(rows.Distinct());
            Assert.True(rows[0].Index > Files.Files[group].Header.Index);
            await ReadAsync(group);
            GroupGateway gateway = _silos.On("b").Gateways[group];
            long session = await CreateSessionAsync(gateway);
            Assert.Equal(ErrorCode.GrantsHeldBack, (await AcquireAsync(gateway, session).WaitAsync(Patience)).Result.Error);
        }
    }

    public static TheoryData<string, string> Differences => new()
    {
        { "nothing", "Silo c is to restore nothing, this one group 0" },
        { "files", "Silo c is to restore group 0 of the file" },
        { "floor", "with --floor 5, this one with --floor 0" },
        { "holdBack", "with --hold-back 1.00:01:00, this one with --hold-back 00:05:00" },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public async Task Silos_that_are_to_restore_something_else_found_nothing_until_they_are_started_alike(string what, string told)
    {
        ClusterRestore? other = what switch
        {
            "nothing" => null,
            "files" => Others,
            "floor" => Files with { Floor = 5 },
            _ => Files with { HoldBack = null },
        };
        _silos.Restore = silo => silo == "c" ? other : Files;
        await _silos.StartAsync(SilosInMemory.Ids);
        await NoticeAsync("a", told);
        await NoticeAsync("b", told);
        await NoticeAsync("c", "Silo a is to restore");
        Assert.All(SilosInMemory.Ids, silo => Assert.False(_silos.Joined(silo).IsCompleted));

        await _silos.StopAsync("c");
        _silos.Restore = _ => Files;
        await _silos.StartAsync("c");
        await OneClusterAsync();
        await ReadAsync(0);
    }

    [Fact]
    public async Task Who_stopped_before_it_took_its_part_takes_it_with_the_same_files_and_no_others()
    {
        _silos.TellOfClusterOnly("a");
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid founded = await _silos.Joined("a").WaitAsync(Patience);
        (string First, long Index) decided = await FirstStateAsync("a", 1);
        await _silos.StopAsync(SilosInMemory.Ids);
        _silos.Interfere = (_, _, _) => null;

        // Nobody has led it yet: the founder goes on, started as before.
        await _silos.StartAsync("a");
        Assert.Contains("--restore and them", await RefusedAsync("b", null), StringComparison.Ordinal);
        Assert.Contains("has restored group 0 of the file", await RefusedAsync("b", Others), StringComparison.Ordinal);
        Assert.Contains("has restored with --floor 0", await RefusedAsync("b", Files with { Floor = 5 }), StringComparison.Ordinal);
        await _silos.StartAsync("b", "c");
        Assert.Equal(founded, await OneClusterAsync());
        await ReadAsync(1);
        Assert.Equal(decided, await FirstStateAsync("b", 1));
        Assert.Equal(decided, await FirstStateAsync("c", 1));
    }

    [Fact]
    public async Task What_was_restored_is_not_restored_again()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid made = await OneClusterAsync();
        await ReadAsync(0);
        await ReadAsync(1);
        await _silos.StopAsync(SilosInMemory.Ids);
        // A silo that no leader had reached may be started as before; most have heard of one.
        List<string> refused = [];
        foreach (string silo in SilosInMemory.Ids)
        {
            try
            {
                await using SiloGroups opened = await _silos.OpenAsync(silo);
            }
            catch (GroupStartException e)
            {
                refused.Add(e.Message);
            }
        }
        Assert.True(refused.Count >= 2);
        Assert.All(refused, message => Assert.Contains($"{made} already", message, StringComparison.Ordinal));
        _silos.Restore = _ => Others;
        foreach (string silo in SilosInMemory.Ids)
        {
            GroupStartException other = await Assert.ThrowsAsync<GroupStartException>(() => _silos.OpenAsync(silo));
            Assert.Contains("has restored group 0 of the file", other.Message, StringComparison.Ordinal);
        }
        _silos.Restore = _ => null;
        await _silos.StartAsync(SilosInMemory.Ids);
        Assert.Equal(made, await OneClusterAsync());
        await ReadAsync(0);
    }

    [Fact]
    public async Task A_founder_that_lost_its_database_restores_again_if_nobody_had_heard_and_is_without_a_peer_after_that()
    {
        _silos.TellOfClusterOnly("a");
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid forgotten = await _silos.Joined("a").WaitAsync(Patience);
        await _silos.StopAsync(SilosInMemory.Ids);
        await _silos.LoseDatabaseAsync("a");
        // This time one has heard of it and stored its part when the founder loses it again.
        _silos.Interfere = (own, _, request) =>
            own == "c" && request.Bootstrap is not null ? SilosInMemory.Failure(ErrorCode.NoQuorum) : null;
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid founded = await _silos.Joined("b").WaitAsync(Patience);
        Assert.NotEqual(forgotten, founded);
        await _silos.StopAsync("a");
        await _silos.LoseDatabaseAsync("a");
        _silos.Interfere = (_, _, _) => null;

        await _silos.StartAsync("a");
        Assert.Equal(founded, await OneClusterAsync());
        Assert.All(_silos.On("a").Groups, group => Assert.Empty(group.Peers));
        await ReadAsync(0);
        await ReadAsync(1);
    }

    [Fact]
    public async Task A_cluster_that_began_empty_has_no_place_for_a_silo_that_is_to_restore()
    {
        _silos.Restore = _ => null;
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await _silos.StopAsync("c");
        _silos.Restore = _ => Files;
        GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => _silos.OpenAsync("c"));
        Assert.Contains("has restored nothing", refused.Message, StringComparison.Ordinal);

        // Nor with an empty database, when it hears from the others.
        await _silos.LoseDatabaseAsync("c");
        Assert.Contains("has restored nothing", await RefusedAsync("c", Files), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_embedded_host_restores_all_its_groups()
    {
        string database = await server.CreateDatabaseAsync();
        try
        {
            await using SiloGroups embedded = await SiloGroups.StartAsync(
                new SiloGroupOptions
                {
                    Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(database) },
                    SiloId = "embedded",
                    Groups = Groups,
                    Restore = Files,
                },
                TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
            for (int group = 0; group < Groups; group++)
                Assert.Equal("blue", await GetAsync(embedded.Gateways[group], group));
        }
        finally
        {
            await server.DropDatabaseAsync(database);
        }
    }

    private static ClusterRestore Of(string colour) => new()
    {
        Files = [.. Enumerable.Range(0, Groups).Select(group => SavedStates.FileOf(group, Before, SavedStates.KeyOf(group, Groups), colour))],
        HoldBack = HoldBack,
    };

    /// <summary>The silo's start with this, which ends by itself.</summary>
    private async Task<string> RefusedAsync(string silo, ClusterRestore? restore)
    {
        Func<string, ClusterRestore?> usual = _silos.Restore;
        _silos.Restore = _ => restore;
        await _silos.StartAsync(silo);
        GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => _silos.Joined(silo).WaitAsync(Patience));
        await _silos.StopAsync(silo);
        _silos.Restore = usual;
        return refused.Message;
    }

    private async Task<(string First, long Index)> FirstStateAsync(string silo, int group)
    {
        await using NpgsqlConnection connection = await server.ConnectAsync(await _silos.DatabaseOfAsync(silo));
        await using var command = new NpgsqlCommand(
            """
            SELECT (SELECT md5(string_agg(md5(data), '' ORDER BY chunk)) FROM coordinator.snapshot_chunk c
                    WHERE c.group_id = p.group_id AND epoch = 0), snapshot_index
            FROM coordinator.peer p WHERE group_id = $1
            """,
            connection);
        command.Parameters.Add(new NpgsqlParameter { Value = group });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return (reader.GetString(0), reader.GetInt64(1));
    }

    private async Task<Guid> OneClusterAsync()
    {
        Guid[] joined = await Task.WhenAll(SilosInMemory.Ids.Select(_silos.Joined)).WaitAsync(Patience);
        return Assert.Single(joined.Distinct());
    }

    private async Task NoticeAsync(string silo, string text)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (_silos[silo].Gateway.GetStatus().Notice?.Contains(text, StringComparison.Ordinal) != true)
            await Task.Delay(20, limit.Token);
    }

    /// <summary>By way of every silo.</summary>
    private async Task ReadAsync(int group)
    {
        foreach (string silo in SilosInMemory.Ids)
            Assert.Equal("blue", await GetAsync(_silos.On(silo).Gateways[group], group));
    }

    private static async Task<string> GetAsync(GroupGateway gateway, int group)
    {
        QueryAnswer read = await gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = SavedStates.KeyOf(group, Groups) } }, CancellationToken.None).WaitAsync(Patience);
        return Assert.Single(read.Entries).Value.ToStringUtf8();
    }

    private static async Task<long> CreateSessionAsync(GroupGateway gateway) => (await gateway.ExecuteAsync(
        new Command { CreateSession = new CreateSession { TtlUs = 60_000_000 } }, CancellationToken.None).WaitAsync(Patience)).Result.SessionId;

    private static Task<CommandAnswer> AcquireAsync(GroupGateway gateway, long session) => gateway.ExecuteAsync(
        new Command { SessionId = session, AcquireLock = new AcquireLock { Name = "lock" } }, CancellationToken.None);
}
