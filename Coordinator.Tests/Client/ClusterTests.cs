using Coordinator.Client;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>A group's peers through the client: what is sent, what comes back, and what a lost connection makes of it.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task A_group_is_described_and_a_refusal_has_its_code()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = new(silo.Address);
        silo.Intercept = (frame, answers) => frame.Cluster is { } request && answers.TryWrite(new ServerFrame
        {
            CorrelationId = frame.CorrelationId,
            Cluster = request.Describe is not null
                ? new ClusterAnswer
                {
                    Group = new GroupDescription
                    {
                        LeaderPeerId = 2,
                        FailuresTolerated = 1,
                        Peers = { new PeerDescription { PeerId = 2, Role = "voter", State = "leader" } },
                    },
                }
                : new ClusterAnswer { Error = ErrorCode.QuorumAtRisk, Message = "Too few answer." },
        });

        GroupInfo group = await client.Cluster.DescribeAsync();
        CoordinatorException refused = await Assert.ThrowsAsync<CoordinatorException>(
            () => client.Cluster.RemovePeerAsync(3));

        Assert.Equal((2L, 1), (group.LeaderPeerId, group.FailuresTolerated));
        Assert.Equal(new PeerInfo { PeerId = 2, IsVoter = true, State = "leader" }, Assert.Single(group.Peers));
        Assert.Equal(ErrorCode.QuorumAtRisk, refused.Code);
        Assert.Null(client.SessionId);
    }

    [Fact]
    public async Task An_addition_whose_answer_is_lost_is_sent_again_with_the_same_nonce()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = new(silo.Address);
        List<GrowGroup> sent = [];
        silo.Intercept = (frame, answers) =>
        {
            if (frame.Cluster?.AddPeer is not { } grow)
                return false;
            sent.Add(grow);
            if (sent.Count == 1)
                silo.Break();
            else
                answers.TryWrite(new ServerFrame
                {
                    CorrelationId = frame.CorrelationId,
                    Cluster = new ClusterAnswer { PeerId = 4 },
                });
            return true;
        };

        Assert.Equal(4, await client.Cluster.AddPeerAsync(learner: true));

        Assert.Equal([sent[0], sent[0]], sent);
        Assert.True(sent[0].Learner);
    }

    [Fact]
    public async Task A_change_without_an_answer_is_unknown_and_a_description_is_late()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = new(new CoordinatorClientOptions
        {
            Endpoints = [silo.Address],
            RequestTimeout = TimeSpan.FromSeconds(1),
        });
        silo.Intercept = (frame, _) => frame.Cluster is not null;

        await Assert.ThrowsAsync<CoordinatorOutcomeUnknownException>(() => client.Cluster.TransferLeadershipAsync(2));
        await Assert.ThrowsAsync<CoordinatorTimeoutException>(() => client.Cluster.DescribeAsync());
    }

    [Fact]
    public async Task What_can_be_no_peer_and_no_group_is_not_sent()
    {
        await using CoordinatorClient client = new("http://127.0.0.1:1");

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.Cluster.RemovePeerAsync(0));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.Cluster.TransferLeadershipAsync(-1));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.Cluster.DescribeAsync(-1));
    }
}
