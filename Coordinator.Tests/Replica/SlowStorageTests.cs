using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

public sealed class SlowStorageTests
{
    [Fact]
    public void A_leader_whose_storage_falls_behind_refuses_proposals_and_hands_leadership_over()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters, new ReplicaOptions { UnwrittenBytesMax = 1_000 });
        peer.Elect(voter: 2);
        peer.WriteAll();
        CommandTicket large = MachineUnderTest.Put(new string('k', 1_000));
        peer.Turn(machine => machine.Submit(large));
        peer.Receive(new Message
        {
            Type = MessageType.AppResp,
            From = new PeerId(2),
            Term = peer.Machine.Raft.Term,
            Index = peer.Machine.Raft.LastIndex,
        });
        peer.Sent.Clear();

        CommandTicket refused = MachineUnderTest.Put("one more");
        peer.Turn(machine => machine.Submit(refused));

        Assert.Contains(peer.Completed, done =>
            done.Ticket == refused && done.Answer.Result.Error == ErrorCode.Overloaded);
        Assert.Contains(peer.Sent, sent => sent.To == new PeerId(2) && sent.Message.Type == MessageType.TimeoutNow);
    }
}
