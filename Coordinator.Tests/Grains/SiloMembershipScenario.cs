using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Replica.State;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>A cluster of silos whose peers come and go, and what its tests ask of it.</summary>
public abstract class SiloMembershipScenario(PostgresServer server) : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    protected static readonly string[] Five = ["a", "b", "c", "d", "e"];

    private protected SilosInMemory Silos { get; } = new(server);

    public virtual Task InitializeAsync() => FoundAsync();

    public Task DisposeAsync() => Silos.EndAsync();

    private protected async Task FoundAsync()
    {
        await Silos.StartAsync(SilosInMemory.Ids);
        await Task.WhenAll(SilosInMemory.Ids.Select(Silos.Joined)).WaitAsync(Patience);
        await PutAsync("a", "founded");
    }

    /// <summary>The list is made longer, one silo after the other, and those that are new start.</summary>
    private protected async Task ExtendAsync(params string[] more)
    {
        string[] all = [.. SilosInMemory.Ids, .. more];
        Silos.Configured = _ => all;
        foreach (string silo in SilosInMemory.Ids)
        {
            if (!Silos.IsUp(silo))
                continue;
            await Silos.StopAsync(silo);
            await Silos.StartAsync(silo);
            await Silos.Joined(silo).WaitAsync(Patience);
            await PutAsync(silo, "extended");
        }
        await Silos.StartAsync(more);
        await Task.WhenAll(more.Select(Silos.Joined)).WaitAsync(Patience);
    }

    /// <summary>What is under way, or not known yet, is asked again, with the same nonce.</summary>
    private protected async Task<long> AddAsync(string asked, string silo, long replaces = 0, Guid? nonce = null, bool learner = false)
    {
        ClusterRequest request = Add(silo, replaces, nonce ?? Guid.NewGuid(), learner);
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            ClusterAnswer answer = await AskAsync(asked, request);
            if (answer.Error == ErrorCode.Ok)
                return answer.PeerId;
            Assert.True(
                answer.Error is ErrorCode.PeerChangeInProgress or ErrorCode.OutcomeUnknown or ErrorCode.SiloUnreachable
                    or ErrorCode.NoQuorum or ErrorCode.NotLeader or ErrorCode.Stopping,
                $"{answer.Error}: {answer.Message}");
            await Task.Delay(50, limit.Token);
        }
    }

    private protected async Task RemoveAsync(string asked, long peer)
    {
        ErrorCode last = ErrorCode.Ok;
        await UntilAsync(async () => (last = (await AskAsync(asked, Remove(peer))).Error) == ErrorCode.Ok, () => $"removed: {last}");
    }

    private protected Task<ClusterAnswer> AskAsync(string asked, ClusterRequest request) =>
        Silos[asked].Gateway.AdministerAsync(request.Clone(), CancellationToken.None);

    private protected static ClusterRequest Remove(long peer) => new() { RemovePeer = new RemovePeer { PeerId = peer } };

    private protected static ClusterRequest Add(string silo, long replaces, Guid nonce, bool learner = false) => new()
    {
        AddPeer = new GrowGroup
        {
            Nonce = ByteString.CopyFrom(nonce.ToByteArray(bigEndian: true)),
            Learner = learner,
            Silo = silo,
            Replaces = replaces,
        },
    };

    /// <summary>As the leader has it; a moment of standing still may have cost one its leadership.</summary>
    private protected async Task<GroupMembership> MembershipAsync()
    {
        GroupMembership? membership = null;
        await UntilAsync(
            () => Task.FromResult((membership = Leader() is { } leader ? Silos[leader].SettledLeader()?.Membership : null) is not null),
            () => "somebody leads");
        return membership!;
    }

    /// <summary>Those, all of them running where they are listed, and nobody else anywhere that is up.</summary>
    private protected Task UntilVotersAreAsync(params (string Silo, long Peer)[] voters) => UntilAsync(
        () => Task.FromResult(Leader() is { } leader && Silos[leader].SettledLeader()?.Membership is { } membership
            && membership.ConfState is { VotersOutgoing.Count: 0, Learners.Count: 0 }
            && membership.Peers.Select(peer => (peer.Silo, peer.Id.Value)).OrderBy(peer => peer).SequenceEqual(voters.Order())
            && Five.Where(Silos.IsUp).All(silo => Silos[silo].Peers.Select(peer => (silo, peer.Peer.Value))
                .SequenceEqual(voters.Where(voter => voter.Silo == silo)))),
        () => $"the voters are {string.Join(", ", voters)}: {Describe()}");

    /// <summary>The silo of the leader, by the highest term.</summary>
    private protected string? Leader() => Five.Where(Silos.IsUp)
        .Select(silo => (Silo: silo, Leader: Silos[silo].SettledLeader()))
        .Where(one => one.Leader is not null)
        .OrderByDescending(one => one.Leader!.Term)
        .Select(one => one.Silo)
        .FirstOrDefault();

    private protected async Task<string> LeaderAsync()
    {
        string? leader = null;
        await UntilAsync(() => Task.FromResult((leader = Leader()) is not null), () => "somebody leads");
        return leader!;
    }

    private protected PeerLoop PeerOf(string silo) => Silos[silo].Peers.Single();

    private protected async Task PutAsync(string silo, string value)
    {
        var put = new Command { PutConfig = new PutConfig { Key = "key", Value = ByteString.CopyFromUtf8(value) } };
        ErrorCode last = ErrorCode.Ok;
        await UntilAsync(
            async () => (last = (await Silos[silo].Gateway.ExecuteAsync(put, CancellationToken.None)).Result.Error) == ErrorCode.Ok,
            () => $"put {value}: {last}");
        foreach (string other in Five.Where(Silos.IsUp))
        {
            QueryAnswer read = new();
            await UntilAsync(
                async () => (read = await Silos[other].Gateway.QueryAsync(
                    new Query { GetConfig = new GetConfig { Key = "key" } }, CancellationToken.None)).Error == ErrorCode.Ok,
                () => $"read through {other}: {read.Error}");
            Assert.Equal(value, read.Entries[0].Value.ToStringUtf8());
        }
    }

    private protected async Task<long[]> StoredPeersAsync(string silo)
    {
        await using NpgsqlConnection connection = await server.ConnectAsync(await Silos.DatabaseOfAsync(silo));
        await using var command = new NpgsqlCommand(
            """
            SELECT DISTINCT peer_id FROM (SELECT peer_id FROM coordinator.peer UNION ALL SELECT peer_id FROM coordinator.log
                UNION ALL SELECT peer_id FROM coordinator.snapshot_chunk) AS stored ORDER BY peer_id
            """,
            connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var peers = new List<long>();
        while (await reader.ReadAsync())
            peers.Add(reader.GetInt64(0));
        return [.. peers];
    }

    private protected Task UntilNothingIsStoredAsync(string silo) => UntilAsync(
        async () => !Silos[silo].Peers.Any() && (await StoredPeersAsync(silo)).Length == 0,
        () => $"nothing is stored on {silo}: {Describe()}");

    private protected Task NoticeAsync(string silo, string? text) => UntilAsync(
        () => Task.FromResult(text is null
            ? Silos[silo].Gateway.GetStatus().Notice is null
            : Silos[silo].Gateway.GetStatus().Notice?.Contains(text, StringComparison.Ordinal) == true),
        () => $"{silo} says {text ?? "nothing"}: {Silos[silo].Gateway.GetStatus().Notice}");

    private protected static async Task UntilAsync(Func<Task<bool>> holds, Func<string> what)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await holds())
        {
            Assert.False(limit.IsCancellationRequested, $"It never came to this: {what()}");
            await Task.Delay(20);
        }
    }

    private string Describe() => string.Join("; ", Five.Where(Silos.IsUp).Select(silo =>
        $"{silo}: {string.Join(", ", Silos[silo].Peers.Select(peer => $"{peer.Peer} {GroupDescriptions.StateOf(peer.Status)} of {string.Join(' ', peer.Status.Membership.Peers.Select(one => one.Id))} applied {peer.Status.AppliedIndex} {peer.Status.Detail}"))}"));
}
