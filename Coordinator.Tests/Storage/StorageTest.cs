using System.Diagnostics;
using System.Text;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Storage;

/// <summary>
/// A database of its own for each test, with three peers of group 1 whose snapshot is at index 10, term 1.
/// </summary>
[Collection(PostgresCollection.Name)]
public abstract class StorageTest(PostgresServer server) : IAsyncLifetime
{
    protected const long SnapshotIndex = 10;
    protected static readonly byte[] SnapshotData = Encoding.UTF8.GetBytes("the first snapshot");
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<IAsyncDisposable> _opened = [];

    protected PostgresServer Server { get; } = server;

    protected string Database { get; private set; } = "";

    protected NpgsqlConnection Admin { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await Server.CreateDatabaseAsync();
        Admin = await Server.ConnectAsync(Database);
    }

    public async Task DisposeAsync()
    {
        await Admin.DisposeAsync();
        foreach (IAsyncDisposable opened in Enumerable.Reverse(_opened))
        {
            await opened.DisposeAsync();
        }

        await Server.DropDatabaseAsync(Database);
    }

    protected static PeerKey Key(long peer) => new(1, new PeerId(peer));

    protected static Entry Entry(long index, long term = 1, string data = "x", long stamp = 0) =>
        new(new Term(term), index, EntryType.Normal, Encoding.UTF8.GetBytes(data), stamp);

    protected static HardState Hard(long term = 1, long vote = 0, long commit = SnapshotIndex) =>
        new(new Term(term), new PeerId(vote), commit);

    protected static IEnumerable<string> Texts(LoadedPeer peer) =>
        peer.Entries.Select(e => $"{e.Index}:{e.Term}:{Encoding.UTF8.GetString(e.Data.Span)}");

    protected PeerDatabaseOptions Options(int? proxyPort = null) => new()
    {
        ConnectionString = proxyPort is { } port
            ? Server.ConnectionString(Database, "127.0.0.1", port)
            : Server.ConnectionString(Database),
    };

    protected async Task<PeerDatabase> OpenAsync(PeerDatabaseOptions? options = null)
    {
        PeerDatabase database = await PeerDatabase.OpenAsync(
            options ?? Options(), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        _opened.Add(database);
        return database;
    }

    protected async Task<PeerDatabase> OpenBootstrappedAsync(PeerDatabaseOptions? options = null)
    {
        PeerDatabase database = await OpenAsync(options);
        await database.BootstrapAsync(
            Guid.NewGuid(), 1, [NewPeer(1), NewPeer(2), NewPeer(3)], CancellationToken.None);
        return database;
    }

    protected static NewPeer NewPeer(long peer) =>
        new(Key(peer), Guid.NewGuid(), Hard(), SnapshotIndex, new Term(1), SnapshotData);

    protected PostgresProxy StartProxy()
    {
        var proxy = new PostgresProxy(Server.SocketPath);
        _opened.Add(proxy);
        return proxy;
    }

    protected static async Task<LoadedPeer> ActivateAsync(PeerDatabase database, long peer = 1) =>
        Activated(await database.ActivateAsync(Key(peer), "test", CancellationToken.None));

    protected static Task<ActivationResult> ReactivateAsync(PeerDatabase database, LoadedPeer peer, long? writeSeq = null) =>
        database.ReactivateAsync(peer.Key, peer.Epoch, writeSeq ?? peer.WriteSeq, "test", CancellationToken.None);

    protected static LoadedPeer Activated(ActivationResult result) =>
        Assert.IsType<ActivationResult.Activated>(result).Peer;

    /// <summary>The next write of an activation that has made none, or <paramref name="number"/> - 1.</summary>
    protected static PeerWrite Write(LoadedPeer peer, int number = 1, HardState? state = null, params Entry[] entries) =>
        new()
        {
            Key = peer.Key,
            Epoch = peer.Epoch,
            WriteSeq = peer.WriteSeq + number,
            HardState = state ?? peer.HardState,
            Entries = entries,
        };

    protected async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, Admin);
        await command.ExecuteNonQueryAsync();
    }

    protected async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = new NpgsqlCommand(sql, Admin);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Waits until <paramref name="sql"/> answers true; missing evidence fails the test.</summary>
    protected Task UntilAsync(string sql) => UntilAsync(() => QueryAsync<bool>(sql), sql);

    protected static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"Not seen in {Patience}: {what}");
            await Task.Delay(5);
        }
    }
}
