using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Replica;

/// <summary>When a leader raises the group's feature level, and what a program does that doesn't support it (rule 25).</summary>
public sealed class RaiseLevelTests
{
    private static readonly ReplicaOptions OldProgram = new() { SupportedLevel = FeatureLevels.First };
    private static readonly ConfState WithLearner = new() { Voters = [new(1)], Learners = [new(2)] };
    private static readonly PeerReport Old = new(FeatureLevels.First, 0, 0);
    private static readonly PeerReport New = new(FeatureLevels.Known, 0, 0);

    [Fact]
    public void The_level_rises_once_every_member_supports_it_and_is_asked_for_once()
    {
        MachineUnderTest peer = Leader(WithLearner);
        Assert.Equal(0, RaisesIn(peer));
        Hear(peer, Old);
        peer.WriteAll();
        Assert.Equal(0, RaisesIn(peer));

        Hear(peer, New);
        Hear(peer, New);
        Assert.Equal(1, RaisesIn(peer));
        peer.WriteAll();
        Assert.Equal(FeatureLevels.Known, peer.Machine.State.FeatureLevel);
        Hear(peer, New);
        Assert.Equal(1, RaisesIn(peer));
    }

    [Fact]
    public void What_an_earlier_activation_supported_does_not_count()
    {
        var peer = new MachineUnderTest(WithLearner, featureLevel: FeatureLevels.First);
        Hear(peer, New);
        peer.Turn(machine => machine.Receive(peer.From(Heartbeat(peer)) with { Epoch = 2, Report = Old }));
        peer.Elect(voter: 0);
        peer.WriteAll();
        Assert.Equal(0, RaisesIn(peer));
        Assert.Equal(FeatureLevels.First, peer.Machine.State.FeatureLevel);
    }

    [Fact]
    public void A_leader_refuses_what_the_groups_level_does_not_know()
    {
        MachineUnderTest peer = Leader(WithLearner);
        long last = peer.Machine.Raft.LastIndex;
        CommandTicket check = MachineUnderTest.Ticket(new Command { CheckState = new CheckState() });
        peer.Turn(machine => machine.Submit(check));
        Assert.Equal(ErrorCode.InvalidRequest, Assert.Single(peer.Completed).Answer.Result.Error);
        Assert.Equal(last, peer.Machine.Raft.LastIndex);
    }

    [Fact]
    public void A_program_that_does_not_support_the_level_stops_before_it_applies_it()
    {
        var peer = new MachineUnderTest(new ConfState { Voters = [new(1)] }, OldProgram, FeatureLevels.First);
        peer.Elect(voter: 0);
        peer.WriteAll();
        long applied = peer.Machine.State.AppliedIndex;
        CommandTicket raise = MachineUnderTest.Ticket(
            new Command { RaiseFeatureLevel = new RaiseFeatureLevel { Level = FeatureLevels.Known } });
        CommandTicket after = MachineUnderTest.Put("after");
        peer.Turn(machine =>
        {
            machine.Submit(raise);
            machine.Submit(after);
        });
        peer.WriteAll();
        IsStopped(peer.Machine);
        Assert.Equal(applied, peer.Machine.State.AppliedIndex);
        Assert.Equal(new HashSet<CommandTicket> { raise, after }, [.. peer.Completed.Select(done => done.Ticket)]);
        Assert.All(peer.Completed, done => Assert.Equal(ErrorCode.OutcomeUnknown, done.Answer.Result.Error));
    }

    [Fact]
    public void A_stored_state_of_a_level_that_the_program_does_not_support_stops_it_at_its_start()
    {
        var peer = new MachineUnderTest(MachineUnderTest.ThreeVoters, OldProgram, FeatureLevels.Known);
        IsStopped(peer.Machine);
        peer.Turn(machine => machine.Campaign(), afterUs: 10_000_000);
        Assert.Null(peer.Write);
        Assert.Empty(peer.Sent);
    }

    [Fact]
    public void A_stored_state_of_such_a_level_stops_it_when_it_activates_again()
    {
        MachineUnderTest peer = OldFollower();
        peer.Receive(new Message { Type = MessageType.Heartbeat, From = new PeerId(2), Term = new Term(5) });
        peer.LoseWrite(peer.Loaded(2, new HardState(new Term(5), PeerId.None, 90)) with
        {
            Snapshot = new StoredSnapshot(new SnapshotPointer(1, 1, 90, new Term(5), 1, NewSnapshot().Length), NewSnapshot()),
        });
        IsStopped(peer.Machine);
    }

    [Fact]
    public void A_leaders_snapshot_of_such_a_level_stops_it_before_it_is_stored()
    {
        MachineUnderTest peer = OldFollower();
        peer.Receive(new Message
        {
            Type = MessageType.Snap,
            From = new PeerId(2),
            Term = new Term(5),
            Snapshot = new Snapshot(90, new Term(5), MachineUnderTest.ThreeVoters, NewSnapshot()),
        });
        IsStopped(peer.Machine);
        Assert.Null(peer.Effects.WriteSnapshot);
        Assert.Null(peer.Write);
    }

    private static MachineUnderTest OldFollower() =>
        new(MachineUnderTest.ThreeVoters, OldProgram, FeatureLevels.First);

    private static MachineUnderTest Leader(ConfState members)
    {
        var peer = new MachineUnderTest(members, featureLevel: FeatureLevels.First);
        peer.Elect(voter: 0);
        peer.WriteAll();
        return peer;
    }

    private static void Hear(MachineUnderTest peer, PeerReport report) =>
        peer.Turn(machine => machine.Receive(peer.From(Heartbeat(peer)) with { Report = report }));

    private static Message Heartbeat(MachineUnderTest peer) =>
        new() { Type = MessageType.HeartbeatResp, From = new PeerId(2), Term = peer.Machine.Raft.Term };

    private static int RaisesIn(MachineUnderTest peer)
    {
        int raises = 0;
        foreach (Entry entry in peer.Machine.Raft.Entries(MachineUnderTest.FirstIndex, peer.Machine.Raft.LastIndex + 1))
            raises += Command.Parser.ParseFrom(entry.Data.Span).RaiseFeatureLevel is null ? 0 : 1;
        return raises;
    }

    private static byte[] NewSnapshot()
    {
        var state = CoordinationState.Create(
            StateSettings.Default,
            new GroupMembership
            {
                ClusterId = Guid.Empty,
                Group = 0,
                ConfState = MachineUnderTest.ThreeVoters,
                Peers = [],
                NextPeerId = new PeerId(100),
            },
            90,
            new Term(5));
        var bytes = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private static void IsStopped(ReplicaMachine machine)
    {
        Assert.Equal(ServiceState.Stopped, machine.Service);
        Assert.Equal(
            $"The group is at feature level {FeatureLevels.Known}, this program supports 1: upgrade this silo.", machine.Detail);
    }
}
