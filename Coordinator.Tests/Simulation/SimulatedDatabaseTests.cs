using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Invariants;
using Coordinator.Simulation.Storage;

namespace Coordinator.Tests.Simulation;

/// <summary>The storage model keeps to the rules of the fenced write (rules 1 to 5 and 8).</summary>
public sealed class SimulatedDatabaseTests
{
    private static readonly PeerKey Key = new(0, new PeerId(1));

    private readonly EventQueue _events = new();
    private readonly Happenings _happenings = new();
    private readonly SimulatedDatabase _database;

    public SimulatedDatabaseTests()
    {
        _database = new SimulatedDatabase("1", _events, new Prng(1), new Trace(_events, null, false), _happenings)
        {
            Refusing = InvariantSet.Refusing,
        };
        var row = new SimulatedRow
        {
            Key = Key,
            StorageId = Guid.Empty,
            HardState = new HardState(new Term(1), PeerId.None, 10),
            Pointer = new SnapshotPointer(0, 0, 10, new Term(1), 0, 0),
        };
        row.Chunks.Add((0, 0), default);
        _database.Bootstrap(row);
    }

    [Fact]
    public void A_write_of_the_present_activation_lands()
    {
        Activate();
        Assert.Equal(WriteOutcome.Committed, Write(Entries(1, 1, 11, 12)));
        Assert.Equal(12, _database.Find(Key)!.LastIndex);
        Assert.Equal(WriteOutcome.Committed, Write(Entries(1, 2, 12, 13)));
        Assert.Equal([11L, 12, 13], _database.Find(Key)!.Log.Select(entry => entry.Index));
    }

    [Fact]
    public void A_write_of_an_older_activation_is_fenced()
    {
        Activate();
        Activate();
        Assert.Equal(WriteOutcome.Fenced, Write(Entries(1, 1, 11)));
        Assert.Equal(10, _database.Find(Key)!.LastIndex);
    }

    [Fact]
    public void A_write_lands_once()
    {
        Activate();
        Assert.Equal(WriteOutcome.Committed, Write(Entries(1, 1, 11)));
        Assert.Equal(WriteOutcome.Fenced, Write(Entries(1, 1, 11)));
    }

    [Fact]
    public void A_late_write_is_fenced_off_by_the_re_activation_that_came_first()
    {
        Activate();
        _database.Faults = new StorageFaults { UnknownLateChance = 1 };
        Assert.Equal(WriteOutcome.Unknown, Write(Entries(1, 1, 11), waitUs: 400));
        _database.Faults = StorageFaults.None;
        ActivationAnswer? answer = null;
        _database.Reactivate(Key, 1, 0, _database.NewMark(), [], given => answer = given);
        _events.RunUntil(_events.NowUs + 10_000_000);
        LoadedPeer loaded = Assert.IsType<ActivationAnswer.Activated>(answer).Peer;
        bool landedFirst = loaded.Entries.Count == 1;
        Assert.Equal(landedFirst ? 11 : 10, _database.Find(Key)!.LastIndex);
        Assert.Equal(1, _happenings[Happening.LateWriteLanded] + _happenings[Happening.LateWriteFenced]);
        Assert.Equal(landedFirst ? 1 : 0, _happenings[Happening.LateWriteLanded]);
    }

    [Fact]
    public void A_write_skips_a_row_that_somebody_else_has_locked()
    {
        Activate();
        _database.LockRow(Key, 1_000_000);
        Assert.Equal(WriteOutcome.Busy, Write(Entries(1, 1, 11)));
    }

    [Fact]
    public void An_activation_waits_for_the_row_and_so_comes_after_the_write_that_has_it()
    {
        Activate();
        WriteOutcome? outcome = null;
        ActivationAnswer? answer = null;
        _database.Write(Entries(1, 1, 11), given => outcome = given);
        _events.RunUntil(_events.NowUs + 400);
        _database.Activate(Key, given => answer = given);
        _events.RunUntil(_events.NowUs + 1_000_000);
        Assert.Equal(WriteOutcome.Committed, outcome);
        Assert.Single(Assert.IsType<ActivationAnswer.Activated>(answer).Peer.Entries);
    }

    [Fact]
    public void A_try_whose_answer_was_lost_is_known_by_its_mark_and_a_take_over_is_not()
    {
        Activate();
        long mark = _database.NewMark();
        Assert.IsType<ActivationAnswer.Activated>(Reactivate(1, mark, []));
        Assert.IsType<ActivationAnswer.Activated>(Reactivate(1, _database.NewMark(), [mark]));
        Activate();
        Assert.Equal(4, Assert.IsType<ActivationAnswer.Superseded>(Reactivate(1, _database.NewMark(), [mark])).Epoch);
    }

    [Fact]
    public void A_restored_backup_is_noticed_by_who_remembers_and_a_missing_row_by_everyone()
    {
        Activate();
        _database.TakeBackup();
        Assert.Equal(WriteOutcome.Committed, Write(Entries(1, 1, 11)));
        _database.Restore();
        Assert.IsType<ActivationAnswer.WentBack>(Reactivate(1, _database.NewMark(), [], acknowledged: 1));
        _database.Empty();
        Assert.IsType<ActivationAnswer.Missing>(Reactivate(1, _database.NewMark(), []));
        Assert.Equal(WriteOutcome.Missing, Write(Entries(1, 2, 12)));
    }

    [Fact]
    public void A_second_vote_in_a_term_and_a_cut_below_the_commit_index_are_refused()
    {
        Activate();
        Assert.Equal(WriteOutcome.Committed, Write(Entries(1, 1, 11) with { HardState = new HardState(new Term(2), new PeerId(2), 11) }));
        PeerWrite vote = Entries(1, 2) with { HardState = new HardState(new Term(2), new PeerId(3), 11) };
        Assert.Throws<InvariantViolation>(() => Write(vote));
        PeerWrite cut = Entries(1, 2, 11) with { HardState = new HardState(new Term(2), new PeerId(2), 11) };
        Assert.Throws<InvariantViolation>(() => Write(cut));
    }

    [Fact]
    public void An_outage_rolls_back_what_has_not_committed()
    {
        Activate();
        WriteOutcome? outcome = null;
        _database.Write(Entries(1, 1, 11), given => outcome = given);
        _database.GoDown();
        _events.RunUntil(_events.NowUs + 1_000_000);
        _database.ComeUp();
        Assert.Equal(WriteOutcome.Unknown, outcome);
        Assert.Equal(10, _database.Find(Key)!.LastIndex);
    }

    private void Activate()
    {
        ActivationAnswer? answer = null;
        _database.Activate(Key, given => answer = given);
        _events.RunUntil(_events.NowUs + 1_000_000);
        Assert.IsType<ActivationAnswer.Activated>(answer);
    }

    private ActivationAnswer? Reactivate(long epoch, long mark, long[] earlier, long acknowledged = 0)
    {
        ActivationAnswer? answer = null;
        _database.Reactivate(Key, epoch, acknowledged, mark, earlier, given => answer = given);
        _events.RunUntil(_events.NowUs + 1_000_000);
        return answer;
    }

    private WriteOutcome? Write(PeerWrite write, long waitUs = 10_000_000)
    {
        WriteOutcome? outcome = null;
        _database.Write(write, given => outcome = given);
        _events.RunUntil(_events.NowUs + waitUs);
        return outcome;
    }

    private static PeerWrite Entries(long epoch, long writeSeq, params long[] indexes) => new()
    {
        Key = Key,
        Epoch = epoch,
        WriteSeq = writeSeq,
        HardState = new HardState(new Term(1), PeerId.None, 10),
        Entries = [.. indexes.Select(index => new Entry(new Term(1), index, EntryType.Normal, default))],
    };
}
