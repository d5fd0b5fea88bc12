using System.Buffers;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Replica;

/// <summary>What a new activation does before it takes part: rule 4's comparison, sentence by sentence.</summary>
public sealed class StorageComparisonTests
{
    private const long StoredEpoch = 5;
    private const long StoredWrite = 100;

    private static readonly PeerId Self = new(1);
    private static readonly DatabaseMoment Then = new(System: 7, Timeline: 1, Lsn: 1_000);
    private static readonly DatabaseMoment Now = Then with { Lsn = 2_000 };
    private static readonly ReplicaOptions Options = new();

    [Fact]
    public void It_asks_all_others_and_says_nothing_else_until_they_have_answered()
    {
        MachineUnderTest peer = Activated(File());
        peer.Turn();
        Assert.Equal([(2L, MessageType.StorageQuestion), (3L, MessageType.StorageQuestion)], Sent(peer));
        Ask(peer, 2, MessageType.PreVote);
        Answer(peer, 2, StoredEpoch - 1, StoredWrite);
        Assert.Equal(ServiceState.Comparing, peer.Machine.Service);
        Answer(peer, 3, 0, 0);
        Assert.Equal(ServiceState.Comparing, peer.Machine.Service);
        StorageWitness record = Assert.IsType<StorageWitness>(peer.Effects.RecordWitness);
        Assert.Equal(new StorageWitness(Mark(StoredEpoch, StoredWrite), Now), record);
        Assert.DoesNotContain(Sent(peer), sent => sent.Type != MessageType.StorageQuestion);

        // Its epoch is in the file: it takes part, and hears what came meanwhile.
        peer.Turn(machine => machine.WitnessRecorded(record.Mark));
        Assert.Equal(ServiceState.Running, peer.Machine.Service);
        peer.WriteAll();
        Assert.Contains((2L, MessageType.PreVoteResp), Sent(peer));
    }

    [Fact]
    public void Peers_that_start_together_answer_each_other_before_they_take_part()
    {
        MachineUnderTest peer = Activated((StorageWitness?)null, loaded => loaded with
        {
            Sightings = [new PeerSighting(new PeerId(2), new StorageMark(MachineUnderTest.StorageIdOf(new PeerId(2)), 8, 77))],
        });
        Ask(peer, 2, MessageType.StorageQuestion, epoch: 9);
        Envelope answer = peer.Sent.Single(sent => sent.Message.Type == MessageType.StorageAnswer);
        Assert.Equal((9, 77L), (answer.ReceiverEpoch, answer.StorageAnswer!.WriteSeq));
        Assert.Equal([1, 2, 3], answer.StorageAnswer.Voters.Select(voter => voter.Value));
        Assert.Equal(ServiceState.Comparing, peer.Machine.Service);
    }

    [Fact]
    public void An_activation_that_is_older_than_one_that_was_heard_is_told_so()
    {
        MachineUnderTest peer = new(MachineUnderTest.ThreeVoters);
        peer.Turn(machine => machine.Receive(
            peer.From(new Message { Type = MessageType.HeartbeatResp, From = new PeerId(2) }) with { Epoch = 9, PromisedWriteSeq = 50 }));
        Ask(peer, 2, MessageType.StorageQuestion, epoch: 4);
        StorageAnswer answer = peer.Sent.Single(sent => sent.Message.Type == MessageType.StorageAnswer).StorageAnswer!;
        Assert.Equal((9, 50), (answer.Epoch, answer.WriteSeq));
    }

    [Fact]
    public void A_promise_that_another_has_seen_and_the_storage_lacks_quarantines_it_and_the_file_keeps_the_verdict()
    {
        MachineUnderTest peer = Activated(File());
        peer.Turn();
        Answer(peer, 2, StoredEpoch, StoredWrite + 1);
        AssertWentBack(peer, "peer 2 has seen write 101");
        Assert.NotNull(peer.Effects.RecordWitness?.Verdict);

        MachineUnderTest restarted = Activated(File() with { Verdict = "It was found." });
        restarted.Turn();
        AssertWentBack(restarted, "It was found.");
    }

    [Theory]
    [InlineData(StoredEpoch, StoredWrite, "an activation that the row has yet to have had")]
    [InlineData(StoredEpoch - 1, StoredWrite + 1, "a write that the row has not")]
    public void The_file_alone_is_enough_to_find_it(long epoch, long writeSeq, string what)
    {
        MachineUnderTest peer = Activated(File() with { Mark = Mark(epoch, writeSeq) });
        peer.Turn();
        AssertWentBack(peer, "the witness that is kept apart");
        Assert.True(Sent(peer).Count == 0, what);
    }

    [Fact]
    public void With_a_file_that_vouches_a_majority_is_enough_after_an_election_time_out()
    {
        MachineUnderTest peer = Activated(File());
        peer.Turn();
        Answer(peer, 3, 0, 0);
        peer.Turn(afterUs: Options.ElectionTimeoutUs / 2);
        Assert.Null(peer.Effects.RecordWitness);
        peer.Turn(afterUs: Options.ElectionTimeoutUs / 2);
        Assert.NotNull(peer.Effects.RecordWitness);
    }

    public static TheoryData<StorageWitness?> NotVouching => new()
    {
        { null },
        { File() with { Moment = Then with { Timeline = 2 } } },
        { File() with { Moment = Then with { System = 8 } } },
        { File() with { Moment = Now with { Lsn = Now.Lsn + 1 } } },
        { File() with { Mark = Mark(1, 1) with { StorageId = Guid.Empty } } },
    };

    [Theory]
    [MemberData(nameof(NotVouching))]
    public void Without_one_all_other_voters_have_to_answer_and_another_timeline_alone_is_no_alarm(StorageWitness? file)
    {
        MachineUnderTest peer = Activated(file);
        peer.Turn();
        Answer(peer, 3, 0, 0);
        for (int i = 0; i < 20; i++)
            peer.Turn(afterUs: Options.ElectionTimeoutUs);
        Assert.Null(peer.Effects.RecordWitness);
        Assert.Equal("It waits for what others have seen of its storage: peer 2.", peer.Machine.Detail);
        Answer(peer, 2, StoredEpoch - 1, StoredWrite);
        Assert.NotNull(peer.Effects.RecordWitness);
    }

    [Fact]
    public void Who_must_answer_is_as_the_furthest_of_those_who_answer_know_it()
    {
        MachineUnderTest peer = Activated((StorageWitness?)null);
        peer.Turn();
        // Peer 3 has left, and peer 4 has come, after what is stored here.
        Answer(peer, 2, 0, 0, MachineUnderTest.FirstIndex + 50, 1, 2, 4);
        peer.Turn(afterUs: Options.ElectionTimeoutUs);
        Assert.Contains((4L, MessageType.StorageQuestion), Sent(peer));
        Assert.Equal("It waits for what others have seen of its storage: peer 4.", peer.Machine.Detail);
    }

    [Theory]
    [InlineData(StoredEpoch, ServiceState.Quarantined)]
    [InlineData(StoredEpoch + 4, ServiceState.Stopped)]
    public void Of_a_later_activation_that_was_heard_the_row_tells_whose_it_is(long inRow, ServiceState expected)
    {
        MachineUnderTest peer = Activated(File());
        peer.Turn();
        Answer(peer, 2, StoredEpoch + 4, StoredWrite);
        Answer(peer, 3, 0, 0);
        Assert.Null(peer.Effects.RecordWitness);
        // The database may be away for now.
        peer.Turn(machine => machine.EpochUnavailable(StoredEpoch));
        Assert.Equal(StoredEpoch, peer.Effects.ReadEpoch);
        peer.Turn(machine => machine.EpochRead(StoredEpoch, inRow));
        Assert.Equal(expected, peer.Machine.Service);
    }

    [Fact]
    public void One_that_is_heard_later_is_asked_then()
    {
        MachineUnderTest peer = Activated(File());
        peer.Turn();
        Answer(peer, 3, 0, 0);
        peer.Turn(afterUs: Options.ElectionTimeoutUs);
        peer.Turn(machine => machine.WitnessRecorded(Mark(StoredEpoch, StoredWrite)));
        Assert.Equal(ServiceState.Running, peer.Machine.Service);
        peer.Sent.Clear();
        Ask(peer, 2, MessageType.Heartbeat, afterUs: Options.ElectionTimeoutUs);
        Assert.Contains((2L, MessageType.StorageQuestion), Sent(peer));
        Answer(peer, 2, StoredEpoch, StoredWrite + 40);
        AssertWentBack(peer, "peer 2 has seen write 140");
    }

    [Fact]
    public void Storage_that_knows_no_members_asks_who_speaks_to_it_and_then_all_that_the_answer_names()
    {
        MachineUnderTest peer = Blank();
        peer.Turn(afterUs: 10 * Options.ElectionTimeoutUs);
        Assert.Empty(Sent(peer));
        Assert.Equal(ServiceState.Comparing, peer.Machine.Service);

        Ask(peer, 2, MessageType.Heartbeat, afterUs: Options.ElectionTimeoutUs);
        Assert.Equal([(2L, MessageType.StorageQuestion)], Sent(peer));
        Answer(peer, 2, 0, 0, MachineUnderTest.FirstIndex, 2, 3);
        Assert.Equal((3L, MessageType.StorageQuestion), Sent(peer)[^1]);
        Assert.Null(peer.Effects.RecordWitness);
        Answer(peer, 3, 0, 0, MachineUnderTest.FirstIndex, 2, 3);
        Assert.NotNull(peer.Effects.RecordWitness);
    }

    [Fact]
    public void Storage_that_is_again_as_it_was_when_it_was_new_is_found()
    {
        MachineUnderTest peer = Blank();
        Ask(peer, 2, MessageType.Heartbeat);
        Answer(peer, 2, 0, 0, MachineUnderTest.FirstIndex, 2, 3);
        Answer(peer, 3, StoredEpoch - 1, StoredWrite + 1, MachineUnderTest.FirstIndex, 2, 3);
        AssertWentBack(peer, "peer 3 has seen write 101");
    }

    [Fact]
    public void An_answer_to_an_earlier_activation_does_not_count()
    {
        MachineUnderTest peer = Activated(File());
        peer.Turn();
        peer.Turn(machine => machine.Receive(AnswerFrom(peer, 2, 0, 0) with { ReceiverEpoch = StoredEpoch - 1 }));
        Answer(peer, 3, 0, 0);
        Assert.Null(peer.Effects.RecordWitness);
    }

    [Fact]
    public void Where_an_operator_vouches_or_all_store_in_one_database_nobody_is_asked()
    {
        foreach (StorageEvidence evidence in (StorageEvidence[])[new(null) { IsTrusted = true }, new(null) { IsShared = true }])
        {
            MachineUnderTest peer = Activated(evidence);
            peer.Turn();
            Assert.Empty(Sent(peer));
            Assert.NotNull(peer.Effects.RecordWitness);
        }
        MachineUnderTest found = Activated(new StorageEvidence(File() with { Verdict = "It was found." }) { IsTrusted = true });
        found.Turn();
        Assert.Null(found.Effects.RecordWitness!.Verdict);
    }

    [Fact]
    public void What_was_heard_of_others_is_stored_and_an_idle_group_goes_on_writing_nothing()
    {
        MachineUnderTest peer = new(MachineUnderTest.ThreeVoters);
        Ask(peer, 2, MessageType.Heartbeat, epoch: 3, promised: 9);
        Ask(peer, 2, MessageType.Heartbeat, epoch: 3, promised: 9, afterUs: Options.LazyCommitUs);
        PeerWrite write = Assert.IsType<PeerWrite>(peer.TakeWrite());
        Assert.Equal(new StorageMark(MachineUnderTest.StorageIdOf(new PeerId(2)), 3, 9), Assert.Single(write.Sightings!).Mark);
        peer.Turn(machine => machine.WriteEnded(write.Epoch, WriteOutcome.Committed));
        for (int i = 0; i < 50; i++)
            Ask(peer, 2, MessageType.Heartbeat, epoch: 3, promised: 9, afterUs: Options.LazyCommitUs / 4);
        // Nor do the others write because of this write: it promises nothing.
        Assert.Null(peer.TakeWrite());
        Assert.Equal(0, peer.Sent[^1].PromisedWriteSeq);
    }

    private static StorageMark Mark(long epoch, long writeSeq) => new(MachineUnderTest.StorageIdOf(Self), epoch, writeSeq);

    /// <summary>Of the activation before, and of a promise before the last.</summary>
    private static StorageWitness File() => new(Mark(StoredEpoch - 1, StoredWrite - 10), Then);

    private static MachineUnderTest Activated(StorageWitness? file, Func<LoadedPeer, LoadedPeer>? stored = null) =>
        Activated(new StorageEvidence(file), stored);

    private static MachineUnderTest Activated(StorageEvidence evidence, Func<LoadedPeer, LoadedPeer>? stored = null) => new(
        MachineUnderTest.ThreeVoters, Options, evidence: evidence, stored: loaded =>
        {
            LoadedPeer now = loaded with { Epoch = StoredEpoch, WriteSeq = StoredWrite, Moment = Now };
            return stored?.Invoke(now) ?? now;
        });

    private static MachineUnderTest Blank() => Activated((StorageWitness?)null, loaded =>
    {
        var bytes = new ArrayBufferWriter<byte>();
        CoordinationState.CreateBlank(Guid.Empty, group: 0).WriteSnapshot(bytes);
        return loaded with
        {
            HardState = default,
            Snapshot = new StoredSnapshot(
                new SnapshotPointer(0, 0, 0, Term.Zero, SnapshotPointer.ChunksOf(bytes.WrittenCount), bytes.WrittenCount),
                bytes.WrittenMemory),
        };
    });

    private static List<(long To, MessageType Type)> Sent(MachineUnderTest peer) =>
        [.. peer.Sent.Select(sent => (sent.To.Value, sent.Message.Type))];

    private static void Ask(
        MachineUnderTest peer, long from, MessageType type, long epoch = 1, long promised = 0, long afterUs = 1) =>
        peer.Turn(
            machine => machine.Receive(peer.From(new Message
            {
                Type = type,
                From = new PeerId(from),
                Term = type == MessageType.PreVote ? new Term(2) : new Term(1),
                LogTerm = new Term(1),
                Index = MachineUnderTest.FirstIndex - 1,
            }) with
            { Epoch = epoch, PromisedWriteSeq = promised }),
            afterUs);

    private static void Answer(
        MachineUnderTest peer, long from, long epoch, long writeSeq, long appliedIndex = MachineUnderTest.FirstIndex - 1, params long[] voters) =>
        peer.Turn(machine => machine.Receive(AnswerFrom(peer, from, epoch, writeSeq, appliedIndex, voters)));

    private static Envelope AnswerFrom(
        MachineUnderTest peer, long from, long epoch, long writeSeq, long appliedIndex = MachineUnderTest.FirstIndex - 1, params long[] voters) =>
        peer.From(new Message { Type = MessageType.StorageAnswer, From = new PeerId(from) }) with
        {
            StorageAnswer = new StorageAnswer(
                epoch, writeSeq, appliedIndex,
                [.. (voters.Length > 0 ? voters : [1, 2, 3]).Select(voter => new PeerId(voter))], []),
        };

    private static void AssertWentBack(MachineUnderTest peer, string why)
    {
        Assert.Equal(ServiceState.Quarantined, peer.Machine.Service);
        Assert.Contains(why, peer.Effects.WentBack, StringComparison.Ordinal);
        Assert.Equal(peer.Effects.WentBack, peer.Machine.Detail);
    }
}
