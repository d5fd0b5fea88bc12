using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.Replica;

/// <summary>What only the leader and the driver can tell of a change of peers; what it makes of the membership is the
/// state's.</summary>
public sealed class PeerChangeTests
{
    private static readonly PeerId Two = new(2);
    private static readonly PeerId Stranger = new(MachineUnderTest.NextPeerId);

    [Fact]
    public void A_learner_that_lags_is_not_made_a_voter()
    {
        var members = new ConfState { Voters = [new(1), Two], Learners = [new(3)] };
        var peer = new MachineUnderTest(members, new ReplicaOptions { PromotionLagMax = 0 });
        peer.Elect(voter: 2);
        Acknowledge(peer, Two);

        Assert.Equal(ErrorCode.PeerNotCaughtUp, Change(peer, new PeerChange { Promote = 3 }));

        Acknowledge(peer, new PeerId(3));
        Assert.Null(Change(peer, new PeerChange { Promote = 3 }));
    }

    [Fact]
    public void A_change_after_which_too_few_voters_answer_is_refused()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        peer.Elect(voter: 2);
        Acknowledge(peer, Two);
        peer.Turn(afterUs: new ReplicaOptions().ElectionTimeoutUs / 2);

        Assert.Equal(ErrorCode.QuorumAtRisk, Change(peer, new PeerChange { Remove = 2 }, afterUs: new ReplicaOptions().ElectionTimeoutUs));
    }

    [Fact]
    public void A_second_change_waits_for_the_first()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        peer.Elect(voter: 2);
        Acknowledge(peer, Two);
        Assert.Null(Change(peer, Added(voter: false)));

        Assert.Null(Change(peer, new PeerChange { Demote = 3 }));
        Acknowledge(peer, Two);

        Assert.Equal(
            [ErrorCode.Ok, ErrorCode.PeerChangeInProgress],
            peer.Completed.Select(done => done.Answer.Result.Error));
    }

    [Fact]
    public void A_new_peer_is_sent_a_snapshot_of_what_is_applied_in_which_it_is_a_member()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        peer.Elect(voter: 2);
        Acknowledge(peer, Two);
        Assert.Null(Change(peer, Added(voter: false)));
        Acknowledge(peer, Two);
        Term term = peer.Machine.Raft.Term;

        Message probe = peer.Sent.Select(envelope => envelope.Message)
            .Last(message => message.To == Stranger && message.Type == MessageType.App);
        peer.Sent.Clear();
        peer.Receive(new Message { Type = MessageType.AppResp, From = Stranger, Term = term, Index = probe.Index, Reject = true });

        Snapshot snapshot = Assert.Single(
            peer.Sent, envelope => envelope.Message.Type == MessageType.Snap).Message.Snapshot!;
        Assert.Equal(peer.Machine.State.AppliedIndex, snapshot.Index);
        Assert.Contains(Stranger, snapshot.ConfState.Learners);
        Assert.Equal(snapshot.Index, CoordinationState.ReadSnapshot(snapshot.Data).AppliedIndex);
        Assert.Null(peer.Effects.WriteSnapshot);

        // Lost on its way: the same again, though more has been applied since.
        peer.Sent.Clear();
        peer.Turn(machine => machine.Submit(MachineUnderTest.Put("later")));
        Acknowledge(peer, Two);
        peer.Turn(machine => machine.ReportSnapshot(Stranger, SnapshotStatus.Failed));
        peer.Receive(new Message { Type = MessageType.HeartbeatResp, From = Stranger, Term = term });
        peer.Receive(new Message { Type = MessageType.HeartbeatResp, From = Stranger, Term = term });
        Assert.True(peer.Machine.State.AppliedIndex > snapshot.Index);
        Assert.Same(snapshot, peer.Sent.Last(envelope => envelope.Message.Type == MessageType.Snap).Message.Snapshot);
    }

    [Fact]
    public void A_peer_that_has_left_is_not_heard()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        Term term = peer.Machine.Raft.Term;

        peer.Receive(new Message { Type = MessageType.App, From = new PeerId(50), Term = term.Next });
        Assert.Equal(term, peer.Machine.Raft.Term);

        peer.Receive(new Message { Type = MessageType.App, From = Stranger, Term = term.Next });
        Assert.Equal(term.Next, peer.Machine.Raft.Term);
    }

    [Fact]
    public void A_peer_without_a_leader_learns_what_is_committed_from_whoever_knows()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        Term term = peer.Machine.Raft.Term;
        long last = MachineUnderTest.FirstIndex;
        peer.Receive(new Message
        {
            Type = MessageType.App,
            From = new PeerId(3),
            Term = term,
            Index = last - 1,
            LogTerm = term,
            Entries = [new Entry(term, last, EntryType.Normal, default)],
            Commit = last - 1,
        });
        peer.WriteAll();
        for (int i = 0; i < 30 && !peer.Machine.Raft.Leader.IsNone; i++)
            peer.Turn(afterUs: new ReplicaOptions().TickUs);
        Envelope answer = peer.From(new Message { Type = MessageType.PreVoteResp, From = Two, Term = term, Reject = true });

        peer.Turn(machine => machine.Receive(answer with { CommitIndex = last, CommitTerm = term.Next }));
        Assert.Equal(last - 1, peer.Machine.Raft.CommitIndex);

        peer.Turn(machine => machine.Receive(answer with { CommitIndex = last, CommitTerm = term }));
        Assert.Equal(last, peer.Machine.Raft.CommitIndex);
        Assert.Equal(last, peer.Machine.State.AppliedIndex);
    }

    private static PeerChange Added(bool voter) => new()
    {
        Add = new AddPeer { PeerId = Stranger.Value, StorageId = ByteString.CopyFrom(MachineUnderTest.StorageIdOf(Stranger).ToByteArray(bigEndian: true)), Silo = "silo", Voter = voter },
    };

    /// <returns>Why it was refused at once; null: it was proposed.</returns>
    private static ErrorCode? Change(MachineUnderTest peer, PeerChange change, long afterUs = 1)
    {
        CommandTicket ticket = MachineUnderTest.Ticket(new Command { ChangePeers = new ChangePeers { Changes = { change } } });
        peer.Turn(machine => machine.Submit(ticket), afterUs);
        return peer.Effects.Completed.Where(done => done.Ticket == ticket)
            .Select(done => (ErrorCode?)done.Answer.Result.Error).SingleOrDefault();
    }

    /// <summary>The peer has written the whole log; so has this one.</summary>
    private static void Acknowledge(MachineUnderTest peer, PeerId from)
    {
        peer.WriteAll();
        peer.Receive(new Message
        {
            Type = MessageType.AppResp,
            From = from,
            Term = peer.Machine.Raft.Term,
            Index = peer.Machine.Raft.LastIndex,
        });
    }
}
