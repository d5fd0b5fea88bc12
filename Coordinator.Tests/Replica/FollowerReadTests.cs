using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

/// <summary>Linearizable reads that a follower answers itself, at an index that its leader has confirmed (Raft §6.4, rule 6).</summary>
public sealed class FollowerReadTests
{
    private static readonly PeerId Two = new(2);
    private static readonly PeerId Three = new(3);

    [Fact]
    public void A_leader_answers_a_follower_only_after_its_own_epoch_was_read()
    {
        MachineUnderTest peer = LeaderThatAQuorumConfirmsForAFollower();

        Assert.DoesNotContain(peer.Sent, sent => sent.Message.Type == MessageType.ReadIndexResp);
        long epoch = Assert.NotNull(peer.Effects.ReadEpoch);

        peer.Turn(machine => machine.EpochRead(epoch, epoch));
        Envelope answer = Assert.Single(peer.Sent, sent => sent.Message.Type == MessageType.ReadIndexResp);
        Assert.Equal((Three, peer.Machine.Raft.CommitIndex), (answer.To, answer.Message.Index));
    }

    [Fact]
    public void A_leader_that_was_fenced_off_does_not_answer_a_follower()
    {
        MachineUnderTest peer = LeaderThatAQuorumConfirmsForAFollower();

        peer.Turn(machine => machine.EpochRead(peer.Machine.GetStatus().Epoch, peer.Machine.GetStatus().Epoch + 1));

        Assert.DoesNotContain(peer.Sent, sent => sent.Message.Type == MessageType.ReadIndexResp);
        Assert.Equal(ServiceState.Stopped, peer.Machine.Service);
    }

    [Fact]
    public void A_follower_answers_once_it_has_applied_what_the_leader_has_confirmed()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        Term term = peer.Machine.Raft.Term;
        peer.Receive(Heartbeat(term));
        var read = new QueryTicket(new Query { GetConfig = new GetConfig { Key = "k" } });
        peer.Turn(machine => machine.Submit(read));
        Message asked = Assert.Single(peer.Sent, sent => sent.Message.Type == MessageType.ReadIndex).Message;
        long index = MachineUnderTest.FirstIndex;

        peer.Receive(new Message { Type = MessageType.ReadIndexResp, From = Three, Term = term, Index = index, Context = asked.Context });
        Assert.Empty(peer.Effects.Answered);

        peer.Receive(new Message
        {
            Type = MessageType.App,
            From = Three,
            Term = term,
            Index = index - 1,
            LogTerm = term,
            Entries = [new Entry(term, index, EntryType.Normal, default)],
            Commit = index,
        });
        (QueryTicket ticket, QueryAnswer answer) = Assert.Single(peer.Effects.Answered);
        Assert.Same(read, ticket);
        Assert.Equal((ErrorCode.KeyNotFound, index), (answer.Error, answer.Position.Index));
    }

    [Fact]
    public void A_follower_without_a_leader_refuses()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);

        peer.Turn(machine => machine.Submit(new QueryTicket(new Query { GetConfig = new GetConfig { Key = "k" } })));

        Assert.Equal(ErrorCode.NotLeader, Assert.Single(peer.Effects.Answered).Answer.Error);
    }

    private static Message Heartbeat(Term term) => new() { Type = MessageType.Heartbeat, From = Three, Term = term };

    private static MachineUnderTest LeaderThatAQuorumConfirmsForAFollower()
    {
        MachineUnderTest peer = Leader();
        peer.Receive(new Message { Type = MessageType.ReadIndex, From = Three, Context = new byte[24] });
        Message asked = peer.Sent.Last(sent => sent.To == Two && sent.Message.Type == MessageType.Heartbeat).Message;
        peer.Receive(new Message
        {
            Type = MessageType.HeartbeatResp,
            From = Two,
            Term = peer.Machine.Raft.Term,
            Context = asked.Context,
        });
        return peer;
    }

    /// <summary>It has committed an entry of its term.</summary>
    private static MachineUnderTest Leader()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        peer.Elect(voter: 2);
        peer.WriteAll();
        peer.Receive(new Message
        {
            Type = MessageType.AppResp,
            From = Two,
            Term = peer.Machine.Raft.Term,
            Index = peer.Machine.Raft.LastIndex,
        });
        peer.Sent.Clear();
        return peer;
    }
}
