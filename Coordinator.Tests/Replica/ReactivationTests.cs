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
}
