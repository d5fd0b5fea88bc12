using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Silo;

/// <summary>
/// A bad frame for each thing that a frame can ask for: answered by name, nothing gets through, and the connection goes
/// on. Whatever is added to the contracts has to be added here.
/// </summary>
public sealed class WireBadInputTests : IAsyncLifetime
{
    private static readonly Command[] BadCommands =
    [
        new() { CreateSession = new CreateSession { TtlUs = 1 } },
        new() { KeepAlive = new KeepAlive() },
        new() { EndSession = new EndSession() },
        new() { AdvanceTime = new AdvanceTime() },
        new() { SessionId = 7, AcquireLock = new AcquireLock { Name = "a//b" } },
        new() { SessionId = 7, ReleaseLock = new ReleaseLock { Name = "a", Token = -1 } },
        new() { SessionId = 7, CancelWait = new CancelWait() },
        new() { PutConfig = new PutConfig { Key = "" } },
        new() { DeleteConfig = new DeleteConfig { Key = "a", ExpectedVersion = -1 } },
        new() { ChangePeers = new ChangePeers { Changes = { new PeerChange { Remove = 1 } } } },
        new() { RaiseFeatureLevel = new RaiseFeatureLevel { Level = 9 } },
        new() { CheckState = new CheckState() },
        new() { Transaction = new Transaction { Then = { new ConfigOperation() } } },
        new() { CompactConfig = new CompactConfig { Revision = 0 } },
        new() { RollBackConfig = new RollBackConfig { Revision = -1 } },
        new() { DowngradeLock = new DowngradeLock { Name = "a" } },
        new() { ForceRelease = new ForceRelease { Kind = (HoldingKind)9, Name = "a" } },
        new() { RequestRelease = new RequestRelease { Name = "a", Reason = new string('r', Limits.LabelBytesMax + 1) } },
        new() { SessionId = 7, AcquireLease = new AcquireLease { Name = "a", TtlUs = 1_000_000 } },
        new() { RenewLease = new RenewLease { Name = "a" } },
        new() { ReleaseLease = new ReleaseLease { Name = "a", LeaseId = -1 } },
        new() { SessionId = 7, Proclaim = new Proclaim { Name = ".." } },
        new() { SessionId = 7, HandOver = new HandOver { Name = "a" } },
    ];

    private static readonly Query[] BadQueries =
    [
        new() { GetConfig = new GetConfig { Key = "a", Revision = -1 } },
        new() { ListConfig = new ListConfig { Limit = -1 } },
        new() { GetLock = new GetLock { Name = "" } },
        new() { ListLocks = new ListLocks { Kind = (HoldingKind)(-1) } },
        new() { ListSessions = new ListSessions { AfterSessionId = -1 } },
        new() { GetSession = new GetSession { SessionId = long.MinValue } },
        new() { GetWait = new GetWait { SessionId = 7 } },
        new() { ListForcedReleases = new ListForcedReleases { AfterNumber = -1 } },
    ];

    private static readonly ClusterRequest[] BadClusterRequests =
    [
        new() { Group = -1, Describe = new DescribeGroup() },
        new() { TransferLeadership = new TransferLeadership { ToPeerId = -1 } },
        new() { AddPeer = new GrowGroup { Nonce = ByteString.CopyFrom(new byte[15]) } },
        new() { RemovePeer = new RemovePeer() },
    ];

    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public void Each_operation_query_and_request_has_a_bad_one()
    {
        Assert.Equal(
            Cases<Command.OperationOneofCase>(), BadCommands.Select(command => command.OperationCase).Order());
        Assert.Equal(Cases<Query.QueryOneofCase>(), BadQueries.Select(query => query.QueryCase).Order());
        Assert.Equal(
            Cases<ClusterRequest.RequestOneofCase>(), BadClusterRequests.Select(request => request.RequestCase).Order());
    }

    [Fact]
    public async Task Each_bad_request_is_answered_by_name_and_the_connection_goes_on()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        long id = 0;
        foreach (Command command in BadCommands.Append(new Command()))
        {
            CommandAnswer answer = (await client.AskAsync(new ClientFrame { CorrelationId = ++id, Command = command })).Command;
            AssertNamed(answer.Result.Error, answer.Message, command);
        }
        foreach (Query query in BadQueries.Append(new Query()).Append(new Query { SeenIndex = -1, GetSession = new GetSession { SessionId = 7 } }))
        {
            QueryAnswer answer = (await client.AskAsync(new ClientFrame { CorrelationId = ++id, Query = query })).Query;
            AssertNamed(answer.Error, answer.Message, query);
        }
        foreach (ClusterRequest request in BadClusterRequests.Append(new ClusterRequest()))
        {
            ClusterAnswer answer = (await client.AskAsync(new ClientFrame { CorrelationId = ++id, Cluster = request })).Cluster;
            AssertNamed(answer.Error, answer.Message, request);
        }
        Assert.Equal(0, _silo.Group.Reached);

        await client.AskAsync(new ClientFrame { CorrelationId = ++id, Cluster = new ClusterRequest { Describe = new DescribeGroup() } });
        Assert.Single(_silo.Group.Administered);
    }

    [Fact]
    public async Task A_group_is_described_and_changed_over_the_wire()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        ClusterRequest remove = new() { RemovePeer = new RemovePeer { PeerId = 4 } };

        ServerFrame answer = await client.AskAsync(new ClientFrame { CorrelationId = 3, Cluster = remove });

        Assert.Equal((3L, ErrorCode.Ok, 2L), (answer.CorrelationId, answer.Cluster.Error, answer.Cluster.Group.LeaderPeerId));
        Assert.Equal([remove], _silo.Group.Administered);
    }

    private static void AssertNamed(ErrorCode code, string message, IMessage request)
    {
        Assert.True(code is > ErrorCode.Ok and < ErrorCode.SessionNotFound or >= ErrorCode.InvalidPermits, $"{request} is {code}");
        Assert.NotEmpty(message);
    }

    private static IEnumerable<T> Cases<T>() where T : struct, Enum =>
        Enum.GetValues<T>().Where(one => Convert.ToInt32(one, System.Globalization.CultureInfo.InvariantCulture) != 0).Order();
}
