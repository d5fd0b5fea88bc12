using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

/// <summary>A replica that leaves the first election to another one.</summary>
public sealed class FirstElectionTests
{
    private const int LeftElections = 20;

    private static readonly ReplicaOptions Options = new();

    private readonly MachineUnderTest _peer = new(MachineUnderTest.ThreeVoters, Options);

    public FirstElectionTests() => _peer.Turn(machine => machine.LeaveElection(LeftElections * Options.ElectionTimeoutUs));

    [Fact]
    public void It_asks_for_no_votes_until_its_time_is_over_and_then_does()
    {
        Pass(LeftElections - 1);
        Assert.False(AsksForVotes());
        Pass(3);
        Assert.True(AsksForVotes());
    }

    [Fact]
    public void It_votes_meanwhile()
    {
        _peer.Receive(new Message
        {
            Type = MessageType.PreVote,
            From = new PeerId(2),
            Term = _peer.Machine.Raft.Term.Next,
            Index = _peer.Machine.Raft.LastIndex,
            LogTerm = _peer.Machine.Raft.Term,
        });
        Assert.Contains(_peer.Sent, sent => sent.Message is { Type: MessageType.PreVoteResp, Reject: false });
    }

    [Fact]
    public void Told_to_it_asks_at_once_and_again_after_a_time_out()
    {
        _peer.Turn(machine => machine.Campaign());
        _peer.WriteAll();
        Assert.True(AsksForVotes());
        _peer.Sent.Clear();
        Pass(3);
        Assert.True(AsksForVotes());
    }

    [Theory]
    [InlineData(MessageType.Heartbeat)]
    [InlineData(MessageType.Vote)]
    public void A_leader_or_a_candidate_that_falls_silent_is_waited_for_no_longer_than_ever(MessageType heard)
    {
        _peer.Receive(new Message
        {
            Type = heard,
            From = new PeerId(2),
            Term = _peer.Machine.Raft.Term.Next,
            Index = _peer.Machine.Raft.LastIndex,
            LogTerm = _peer.Machine.Raft.Term,
        });
        _peer.WriteAll();
        Pass(3);
        Assert.True(AsksForVotes());
    }

    private bool AsksForVotes() => _peer.Sent.Any(sent => sent.Message.Type == MessageType.PreVote);

    private void Pass(int elections)
    {
        for (int tick = 0; tick < elections * Options.ElectionTicks; tick++)
        {
            _peer.Turn(afterUs: Options.TickUs);
            _peer.WriteAll();
        }
    }
}
