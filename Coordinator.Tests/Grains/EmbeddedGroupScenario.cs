using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>A database of its own on a real PostgreSQL, an embedded group on it, and what its tests ask of both.</summary>
public abstract class EmbeddedGroupScenario(PostgresServer server) : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private string _database = "";

    private protected SiloGroups Silo { get; set; } = null!;

    /// <summary>The first, and in most tests the only one.</summary>
    private protected SiloGroup Group => Silo[0];

    private protected GroupGateway Gateway => Group.Gateway;

    private protected virtual int Groups => 1;

    /// <summary>What a test starts unless it says otherwise.</summary>
    private protected virtual ReplicaOptions Replica => new() { TickUs = 20_000 };

    private protected string ConnectionString => server.ConnectionString(_database);

    private protected virtual ILoggerFactory Logs => NullLoggerFactory.Instance;

    public virtual async Task InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        Silo = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await Silo.DisposeAsync();
        await server.DropDatabaseAsync(_database);
    }

    private protected Task<SiloGroups> StartAsync(ReplicaOptions? replica = null, TimeSpan? leaderTimeout = null)
    {
        var options = new SiloGroupOptions
        {
            Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(_database) },
            SiloId = "test",
            Groups = Groups,
            Replica = replica ?? Replica,
        };
        if (leaderTimeout is { } timeout)
            options = options with { LeaderTimeout = timeout };
        return SiloGroups.StartAsync(options, TimeProvider.System, Logs, CancellationToken.None);
    }

    private protected PeerLoop Leader() => Group.Peers.Single(peer => peer.Peer.Value == Gateway.GetStatus().LeaderId);

    private protected void StopLeader() => Stop(Leader());

    private protected static void Stop(PeerLoop peer) =>
        peer.Post(new PeerInput.Halt(ServiceState.Stopped, "stopped by the test"));

    /// <summary>The rows of a peer that is no member yet, and the peer at work.</summary>
    private protected async Task MakeAsync(PeerId peer, Guid storageId, PeerAddition? addition)
    {
        var blank = new ArrayBufferWriter<byte>();
        CoordinationState.CreateBlank(Group.ClusterId, 0).WriteSnapshot(blank);
        var key = new PeerKey(0, peer);
        await Group.Storage.AddPeerAsync(key, storageId, blank.WrittenMemory, addition, CancellationToken.None);
        await Group.RunPeerAsync(key, storageId, addition, CancellationToken.None);
    }

    private protected long? AppliedBy(long peer) => Group.Find(new PeerId(peer))?.Status.AppliedIndex;

    /// <summary>The key's own name under it; whatever comes of it.</summary>
    private protected Task<CommandAnswer> TryPutAsync(string key, GroupGateway? gateway = null) => (gateway ?? Gateway).ExecuteAsync(
        new Command { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(key) } }, CancellationToken.None);

    private protected async Task<CommandAnswer> PutAsync(string key)
    {
        CommandAnswer answer = await TryPutAsync(key);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);
        return answer;
    }

    private protected Task<QueryAnswer> GetAsync(string key) =>
        Gateway.QueryAsync(new Query { GetConfig = new GetConfig { Key = key } }, CancellationToken.None);

    private protected async Task<long> CreateSessionAsync()
    {
        CommandAnswer answer = await Gateway.ExecuteAsync(
            new Command { CreateSession = new CreateSession { TtlUs = 60_000_000 } }, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);
        return answer.Result.SessionId;
    }

    protected static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, patience.Token);
    }

    protected Task<NpgsqlConnection> ConnectAsync() => server.ConnectAsync(_database);

    protected async Task ExecuteAsync(string sql)
    {
        await using NpgsqlConnection connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
