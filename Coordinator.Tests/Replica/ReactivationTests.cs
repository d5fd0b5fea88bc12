using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Tests.Replica;

/// <summary>What a machine says and does after its write's fate was open (rule 4).</summary>
public sealed class ReactivationTests
{
    // Another peer may have got the entry and lead later: only a committed entry in its place says that it has not
    // happened (Raft §5.4.2, figure 8).
    [Fact]
    public void A_command_that_a_new_leaders_own_log_lacks_may_still_happen()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        peer.Elect(voter: 2);
        peer.WriteAll();
        Term term = peer.Machine.Raft.Term;
        CommandTicket ticket = MachineUnderTest.Put("key");
        peer.Turn(machine => machine.Submit(ticket));
        Assert.Contains(peer.Sent, sent => sent.Message.Type == MessageType.App && sent.Message.Entries.Count > 0);

        var voted = new HardState(term, new PeerId(1), MachineUnderTest.FirstIndex - 1);
        peer.LoseWrite(peer.Loaded(2, voted, new Entry(term, MachineUnderTest.FirstIndex, EntryType.Normal, default)));
        peer.Elect(voter: 3);

        (CommandTicket _, CommandAnswer answer) = Assert.Single(peer.Completed, completed => completed.Ticket == ticket);
        Assert.Equal(ErrorCode.OutcomeUnknown, answer.Result.Error);
    }

    [Fact]
    public void A_snapshot_stored_before_a_membership_change_is_sent_with_the_membership_in_it()
    {
        var peer = new MachineUnderTest(new ConfState { Voters = [new(1)], Learners = [new(2)] });
        peer.Elect(voter: 0);
        peer.WriteAll();
        var change = new ConfChangeV2 { Changes = [new ConfChangeSingle(ConfChangeType.AddLearnerNode, new PeerId(3))] };
        peer.Turn(machine => machine.Raft.ProposeConfChange(change));
        peer.WriteAll();
        Term term = peer.Machine.Raft.Term;
        Entry[] log = [.. peer.Machine.Raft.Entries(MachineUnderTest.FirstIndex, peer.Machine.Raft.LastIndex + 1)];
        Assert.Contains(new PeerId(3), peer.Machine.State.Membership.ConfState.Learners);

        peer.Turn(machine => machine.Submit(MachineUnderTest.Put("key")));
        peer.LoseWrite(peer.Loaded(2, new HardState(term, new PeerId(1), log[^1].Index), log));
        peer.Elect(voter: 0);
        peer.WriteAll();
        peer.Receive(new Message
        {
            Type = MessageType.AppResp,
            From = new PeerId(2),
            Term = peer.Machine.Raft.Term,
            Index = peer.Machine.Raft.LastIndex - 1,
            Reject = true,
        });

        Snapshot sent = Assert.Single(peer.Sent, envelope => envelope.Message.Type == MessageType.Snap).Message.Snapshot!;
        Assert.Equal(CoordinationState.ReadSnapshot(sent.Data).Membership.ConfState, sent.ConfState);
    }

    [Fact]
    public void A_database_that_fails_again_and_again_does_not_keep_a_snapshot_from_becoming_due()
    {
        var peer = new MachineUnderTest(
            new ConfState { Voters = [new(1)] }, new ReplicaOptions { SnapshotEntries = 6, TailEntries = 0 });
        var log = new List<Entry>();
        for (int round = 1; round <= 20 && peer.Effects.WriteSnapshot is null; round++)
        {
            peer.Elect(voter: 0);
            peer.WriteAll();
            Term term = peer.Machine.Raft.Term;
            log = [.. peer.Machine.Raft.Entries(MachineUnderTest.FirstIndex, peer.Machine.Raft.LastIndex + 1)];
            peer.Turn(machine => machine.Submit(MachineUnderTest.Put("key")));
            if (peer.Effects.WriteSnapshot is null)
                peer.LoseWrite(peer.Loaded(round + 1, new HardState(term, new PeerId(1), log[^1].Index), [.. log]));
        }
        Assert.True(log.Count < 8, $"{log.Count} entries without a snapshot");
    }
}
