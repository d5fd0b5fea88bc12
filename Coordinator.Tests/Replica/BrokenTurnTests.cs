using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

/// <summary>A turn that an exception ends halfway leaves nobody waiting, and lets nothing out.</summary>
public sealed class BrokenTurnTests
{
    [Fact]
    public void Bytes_that_are_no_command_stop_the_replica_and_what_the_turn_had_decided_is_answered()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters);
        var query = new QueryTicket(new Query { GetLock = new GetLock { Name = "a" }, Serializable = true });
        var append = new Message
        {
            Type = MessageType.App,
            From = new PeerId(2),
            Term = new Term(1),
            Index = MachineUnderTest.FirstIndex - 1,
            LogTerm = new Term(1),
            Entries = [new Entry(new Term(1), MachineUnderTest.FirstIndex, EntryType.Normal, new byte[] { 0xff })],
            Commit = MachineUnderTest.FirstIndex,
        };
        Exception? broken = Record.Exception(() => peer.Turn(machine =>
        {
            machine.Submit(query);
            machine.Receive(peer.From(append));
        }));
        Assert.NotNull(broken);

        ReplicaEffects effects = peer.Machine.Break(broken.Message);
        Assert.Equal(ServiceState.Stopped, peer.Machine.Service);
        Assert.Same(query, Assert.Single(effects.Answered).Ticket);
        Assert.Empty(effects.Send);
        Assert.Null(effects.Persist);
    }

    [Fact]
    public void The_command_whose_apply_broke_and_those_behind_it_are_answered_as_unknown()
    {
        var peer = new MachineUnderTest(new ConfState { Voters = [new(1)] });
        peer.Elect(voter: 0);
        peer.WriteAll();
        CommandTicket breaking = MachineUnderTest.Put("a");
        CommandTicket behind = MachineUnderTest.Put("b");
        peer.Turn(machine =>
        {
            machine.Submit(breaking);
            machine.Submit(behind);
        });
        peer.Machine.Applied = (in Entry _, in Coordinator.Replica.State.ApplyResult _, Coordinator.Replica.State.ApplyEffects _) =>
            throw new InvalidOperationException("broken");
        Exception? broken = Record.Exception(peer.WriteAll);
        Assert.NotNull(broken);

        ReplicaEffects effects = peer.Machine.Break(broken.Message);
        Assert.Equal([behind, breaking], effects.Completed.Select(completed => completed.Ticket));
        Assert.All(effects.Completed, completed => Assert.Equal(ErrorCode.OutcomeUnknown, completed.Answer.Result.Error));
    }
}
