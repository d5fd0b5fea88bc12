using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Tests.Replica;

/// <summary>What a caller has seen, no replica unsays (rule 23).</summary>
public sealed class WitnessTests
{
    private const long Applied = MachineUnderTest.FirstIndex - 1;

    private readonly MachineUnderTest _peer = new(MachineUnderTest.ThreeVoters);

    [Fact]
    public void A_serializable_read_is_answered_at_once_where_all_that_was_seen_is_applied()
    {
        _peer.Turn(machine => machine.Submit(Read(seen: Applied)));

        Assert.Equal(ErrorCode.KeyNotFound, Assert.Single(_peer.Effects.Answered).Answer.Error);
    }

    [Fact]
    public void A_replica_that_is_behind_waits_until_it_has_caught_up()
    {
        Term term = _peer.Machine.Raft.Term;
        QueryTicket read = Read(seen: Applied + 1);
        _peer.Turn(machine => machine.Submit(read));
        Assert.Empty(_peer.Effects.Answered);

        _peer.Receive(new Message
        {
            Type = MessageType.App,
            From = new PeerId(2),
            Term = term,
            Index = Applied,
            LogTerm = term,
            Entries = [new Entry(term, Applied + 1, EntryType.Normal, default)],
            Commit = Applied + 1,
        });

        (QueryTicket ticket, QueryAnswer answer) = Assert.Single(_peer.Effects.Answered);
        Assert.Same(read, ticket);
        Assert.Equal((ErrorCode.KeyNotFound, Applied + 1), (answer.Error, answer.Position.Index));
    }

    [Fact]
    public void A_replica_that_stays_behind_says_so_in_time()
    {
        _peer.Turn(machine => machine.Submit(Read(seen: Applied + 1)));
        _peer.Turn(afterUs: new ReplicaOptions().QueryTimeoutUs);

        Assert.Equal(ErrorCode.ReplicaBehind, Assert.Single(_peer.Effects.Answered).Answer.Error);
    }

    [Fact]
    public void Whoever_waits_for_a_replica_that_stops_is_told()
    {
        _peer.Turn(machine => machine.Submit(Read(seen: Applied + 1)));
        _peer.Turn(machine => machine.Halt(ServiceState.Stopped, "the test stops it"));

        Assert.Equal(ErrorCode.Stopping, Assert.Single(_peer.Effects.Answered).Answer.Error);
    }

    [Fact]
    public void A_group_that_does_not_have_what_was_seen_raises_the_alarm()
    {
        var alone = new MachineUnderTest(new ConfState { Voters = [new(1)] });
        alone.Elect(voter: 0);
        alone.WriteAll();
        long last = alone.Machine.State.AppliedIndex;
        var read = new QueryTicket(new Query { SeenIndex = last + 5, GetConfig = new GetConfig { Key = "k" } });

        alone.Turn(machine => machine.Submit(read));
        if (alone.Effects.ReadEpoch is { } epoch)
            alone.Turn(machine => machine.EpochRead(epoch, epoch));

        Assert.Equal(ErrorCode.RolledBack, Assert.Single(alone.Effects.Answered).Answer.Error);
        Assert.Equal(last + 5, alone.Effects.WitnessedIndex);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_read_at_a_revision_above_the_replicas_waits_for_it(bool lists)
    {
        Term term = _peer.Machine.Raft.Term;
        QueryTicket read = ReadAt(_peer.Machine.State.Revision + 1, lists);
        _peer.Turn(machine => machine.Submit(read));
        Assert.Empty(_peer.Effects.Answered);

        _peer.Receive(new Message
        {
            Type = MessageType.App,
            From = new PeerId(2),
            Term = term,
            Index = Applied,
            LogTerm = term,
            Entries = [new Entry(term, Applied + 1, EntryType.Normal, Put().ToByteArray())],
            Commit = Applied + 1,
        });

        (QueryTicket ticket, QueryAnswer answer) = Assert.Single(_peer.Effects.Answered);
        Assert.Same(read, ticket);
        Assert.Equal(ErrorCode.Ok, answer.Error);
        Assert.Equal("k", Assert.Single(answer.Entries).Key);
    }

    [Fact]
    public void A_replica_that_stays_behind_a_revision_does_not_say_that_it_is_in_the_future()
    {
        _peer.Turn(machine => machine.Submit(ReadAt(_peer.Machine.State.Revision + 1, lists: false)));
        _peer.Turn(afterUs: new ReplicaOptions().QueryTimeoutUs);

        Assert.Equal(ErrorCode.ReplicaBehind, Assert.Single(_peer.Effects.Answered).Answer.Error);
    }

    [Fact]
    public void The_group_says_that_a_revision_is_in_the_future()
    {
        var alone = new MachineUnderTest(new ConfState { Voters = [new(1)] });
        alone.Elect(voter: 0);
        alone.WriteAll();
        QueryTicket read = ReadAt(alone.Machine.State.Revision + 1, lists: false);
        read.Query.Serializable = false;

        alone.Turn(machine => machine.Submit(read));
        if (alone.Effects.ReadEpoch is { } epoch)
            alone.Turn(machine => machine.EpochRead(epoch, epoch));

        Assert.Equal(ErrorCode.RevisionInFuture, Assert.Single(alone.Effects.Answered).Answer.Error);
    }

    private static Command Put() => new() { PutConfig = new PutConfig { Key = "k" } };

    private static QueryTicket ReadAt(long revision, bool lists) => new(lists
        ? new Query { Serializable = true, ListConfig = new ListConfig { Revision = revision } }
        : new Query { Serializable = true, GetConfig = new GetConfig { Key = "k", Revision = revision } });

    private static QueryTicket Read(long seen) =>
        new(new Query { Serializable = true, SeenIndex = seen, GetConfig = new GetConfig { Key = "k" } });
}
