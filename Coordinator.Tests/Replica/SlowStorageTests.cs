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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_leader_whose_storage_stands_still_hands_leadership_over_and_then_lets_its_followers_go(bool isWriting)
    {
        var options = new ReplicaOptions();
        MachineUnderTest peer = LeaderOf(options);
        if (isWriting)
            peer.Turn(machine => machine.Submit(MachineUnderTest.Put("stuck")));
        peer.Sent.Clear();
        long budgetUs = options.StorageBudgetElections * options.ElectionTimeoutUs;
        // A log that can't be flushed: epochs are read, and no write comes back; or nothing comes back at all.
        List<(long AtUs, MessageType Type)> sent = Run(peer, options, 4 * budgetUs, answersReads: isWriting);

        (long firstUs, _) = sent.First(one => one.Type == MessageType.TimeoutNow);
        Assert.InRange(firstUs, budgetUs - options.TickUs, budgetUs + options.ElectionTimeoutUs);
        Assert.InRange(sent.Count(one => one.Type == MessageType.TimeoutNow), 1, 4);
        Assert.Contains(sent, one => one.Type == MessageType.Heartbeat && one.AtUs < 2 * budgetUs - options.TickUs);
        Assert.DoesNotContain(sent, one => one.Type == MessageType.Heartbeat && one.AtUs > (2 * budgetUs) + options.ElectionTimeoutUs);
    }

    [Fact]
    public void A_leader_whose_storage_is_merely_slow_keeps_leading_and_so_does_one_that_shares_its_database()
    {
        var options = new ReplicaOptions();
        MachineUnderTest slow = LeaderOf(options);
        long slowUs = (options.StorageBudgetElections * options.ElectionTimeoutUs) - (2 * options.TickUs);
        for (int i = 0; i < 5; i++)
        {
            slow.Turn(machine => machine.Submit(MachineUnderTest.Put($"slow {i}")));
            Assert.DoesNotContain(Run(slow, options, slowUs, answersReads: true), one => one.Type == MessageType.TimeoutNow);
            slow.WriteAll();
        }

        MachineUnderTest shared = LeaderOf(options with { StorageBudgetElections = 0 });
        Assert.DoesNotContain(
            Run(shared, options, 10 * options.ElectionTimeoutUs, answersReads: false), one => one.Type == MessageType.TimeoutNow);
    }

    private static MachineUnderTest LeaderOf(ReplicaOptions options)
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters, options);
        peer.Elect(voter: 2);
        peer.WriteAll();
        return peer;
    }

    /// <summary>Tick by tick, with a follower that answers all it is sent and keeps up.</summary>
    private static List<(long AtUs, MessageType Type)> Run(MachineUnderTest peer, ReplicaOptions options, long durationUs, bool answersReads)
    {
        var sent = new List<(long AtUs, MessageType Type)>();
        for (long atUs = 0; atUs < durationUs; atUs += options.TickUs)
        {
            peer.Turn(afterUs: options.TickUs);
            long? read = peer.Effects.ReadEpoch;
            sent.AddRange(peer.Sent.Select(envelope => (atUs, envelope.Message.Type)));
            peer.Sent.Clear();
            if (answersReads && read is { } epoch)
                peer.Turn(machine => machine.EpochRead(epoch, epoch));
            peer.Receive(new Message
            {
                Type = MessageType.AppResp,
                From = new PeerId(2),
                Term = peer.Machine.Raft.Term,
                Index = peer.Machine.Raft.LastIndex,
            });
        }
        return sent;
    }
}
