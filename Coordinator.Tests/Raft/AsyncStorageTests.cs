using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>Writing while sending: what waits for the own write, and what doesn't.</summary>
public sealed class AsyncStorageTests
{
    private static readonly PeerId One = new(1);
    private static readonly PeerId Two = new(2);

    [Fact]
    public void A_leader_sends_entries_while_it_writes_them()
    {
        RawNode raft = Leader(applyBeforeOwnWrite: false, out _);

        raft.Propose("x"u8.ToArray());
        IReadOnlyList<Message> messages = raft.Ready().Messages;

        Assert.Equal(
            [MessageType.App, MessageType.App, MessageType.StorageAppend], messages.Select(m => m.Type));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_entry_committed_by_the_others_is_applied_before_the_own_write_only_with_the_option(bool option)
    {
        RawNode raft = Leader(option, out MemoryStorage storage);
        raft.Propose("x"u8.ToArray());
        Message write = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);
        AcknowledgeByOthers(raft, 2);
        Assert.Equal(2, raft.CommitIndex);

        Assert.Equal(option ? [2L] : [], raft.Ready().CommittedEntries.ToArray().Select(e => e.Index));

        Finish(raft, storage, write);
        Assert.Equal(option ? [] : [2L], raft.HasReady ? raft.Ready().CommittedEntries.ToArray().Select(e => e.Index) : []);
    }

    [Fact]
    public void A_membership_change_waits_for_the_own_write_even_with_the_option()
    {
        RawNode raft = Leader(applyBeforeOwnWrite: true, out MemoryStorage storage);
        raft.Propose("x"u8.ToArray());
        raft.ProposeConfChange(new ConfChange(ConfChangeType.AddLearnerNode, new PeerId(4)));
        raft.Propose("y"u8.ToArray());
        Message write = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);
        AcknowledgeByOthers(raft, 4);

        Assert.Equal([2L], raft.Ready().CommittedEntries.ToArray().Select(e => e.Index));

        Finish(raft, storage, write);
        Assert.Equal([3L, 4], raft.Ready().CommittedEntries.ToArray().Select(e => e.Index));
    }

    [Fact]
    public void After_the_change_is_written_later_entries_need_not_wait()
    {
        RawNode raft = Leader(applyBeforeOwnWrite: true, out MemoryStorage storage);
        raft.ProposeConfChange(new ConfChange(ConfChangeType.AddLearnerNode, new PeerId(4)));
        Message first = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);
        raft.Propose("y"u8.ToArray());
        raft.Ready();
        AcknowledgeByOthers(raft, 3);
        Assert.True(raft.Ready().CommittedEntries.IsEmpty);

        Finish(raft, storage, first);

        Assert.Equal([2L, 3], raft.Ready().CommittedEntries.ToArray().Select(e => e.Index));
    }

    [Fact]
    public void Writes_go_out_one_after_the_other_without_waiting()
    {
        RawNode raft = Leader(applyBeforeOwnWrite: false, out _);

        raft.Propose("x"u8.ToArray());
        Message first = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);
        raft.Propose("y"u8.ToArray());
        Message second = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);

        Assert.Equal(2, Assert.Single(first.Entries).Index);
        Assert.Equal(3, Assert.Single(second.Entries).Index);
    }

    [Fact]
    public void News_of_a_write_in_an_earlier_term_does_not_make_entries_stable_and_the_next_news_does()
    {
        RawNode raft = Follower(out MemoryStorage storage);
        raft.Step(Append(new Term(1), 0, 0, 1, 1, 1));
        Message early = raft.Ready().Messages.Single();
        raft.Step(new Message { Type = MessageType.Heartbeat, From = new PeerId(3), To = One, Term = new Term(2) });
        Message late = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);

        Finish(raft, storage, early);
        raft.Step(Append(new Term(2), 3, 1) with { From = new PeerId(3), Commit = 3 });
        Assert.True(raft.Ready().CommittedEntries.IsEmpty);

        Finish(raft, storage, late);
        Assert.Equal(3, raft.Ready().CommittedEntries.Count);
    }

    [Fact]
    public void Entries_replaced_while_they_are_written_stay_in_memory_until_their_own_write_returns()
    {
        RawNode raft = Follower(out MemoryStorage storage);
        raft.Step(Append(new Term(1), 0, 0, 1));
        Message first = raft.Ready().Messages.Single();
        raft.Step(Append(new Term(2), 0, 0, 2) with { From = new PeerId(3) });
        Message second = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);

        Finish(raft, storage, first);
        Assert.Equal(new Term(2), raft.LastTerm);

        Finish(raft, storage, second);
        Assert.Equal(new Term(2), raft.LastTerm);
        Assert.Equal(new Term(2), storage.TermAt(1));
    }

    [Fact]
    public void While_a_snapshot_is_written_nothing_is_applied_and_nobody_campaigns()
    {
        RawNode raft = Follower(out MemoryStorage storage);
        ConfState members = new() { Voters = RaftGroup.Ids(1, 3) };
        raft.Step(new Message
        {
            Type = MessageType.Snap,
            From = Two,
            To = One,
            Term = new Term(1),
            Snapshot = new Snapshot(5, new Term(1), members, default),
        });
        Message write = raft.Ready().Messages.Single();
        raft.Step(Append(new Term(1), 5, 1, 1) with { Commit = 6 });
        raft.Campaign();
        Assert.Equal(RaftState.Follower, raft.State);
        Ready next = raft.Ready();
        Assert.True(next.CommittedEntries.IsEmpty);

        storage.ApplySnapshot(write.Snapshot!);
        Finish(raft, storage, write);
        Finish(raft, storage, next.Messages.Single());

        Assert.Equal(5, raft.AppliedIndex);
        Assert.Equal(6, Assert.Single(raft.Ready().CommittedEntries).Index);
    }

    [Fact]
    public void A_membership_change_applied_late_does_not_touch_the_configuration_of_a_newer_snapshot()
    {
        RawNode raft = Follower(out MemoryStorage storage);
        ConfChangeV2 enter = new()
        {
            Transition = ConfChangeTransition.JointExplicit,
            Changes = [new(ConfChangeType.AddNode, new PeerId(4))],
        };
        raft.Step(Append(new Term(1), 0, 0) with
        {
            Entries = [new Entry(new Term(1), 1, EntryType.ConfChangeV2, enter.Encode())],
            Commit = 1,
        });
        Finish(raft, storage, raft.Ready().Messages.Single());
        Assert.Equal(1, Assert.Single(raft.Ready().CommittedEntries).Index);
        ConfState members = new() { Voters = RaftGroup.Ids(1, 4) };
        raft.Step(new Message
        {
            Type = MessageType.Snap,
            From = Two,
            To = One,
            Term = new Term(1),
            Snapshot = new Snapshot(5, new Term(1), members, default),
        });

        raft.ApplyConfChange(enter);

        Assert.Equal("voters=(1 2 3 4)", raft.Configuration.ToString());
    }

    [Fact]
    public void Advance_is_refused()
    {
        RawNode raft = Follower(out _);

        Assert.Throws<RaftInvariantException>(raft.Advance);
    }

    [Fact]
    public void Without_asynchronous_writes_a_second_Ready_before_Advance_is_refused()
    {
        RaftGroup group = new(1);
        group[1].Raft.Campaign();
        group[1].Raft.Ready();

        Assert.Throws<RaftInvariantException>(() => group[1].Raft.Ready());
    }

    [Fact]
    public void A_local_message_is_taken_from_the_own_storage_alone()
    {
        RawNode raft = Follower(out _);

        Assert.Equal(
            StepResult.UnexpectedLocalMessage,
            raft.Step(new Message { Type = MessageType.StorageAppendResp, From = Two, To = One, Index = 1 }));
        Assert.Equal(
            StepResult.UnexpectedLocalMessage, raft.Step(new Message { Type = MessageType.Hup, From = One, To = One }));
        Assert.Equal(RaftState.Follower, raft.State);
    }

    private static RawNode Follower(out MemoryStorage storage, bool applyBeforeOwnWrite = false)
    {
        storage = new MemoryStorage();
        storage.ApplySnapshot(new Snapshot(0, Term.Zero, new ConfState { Voters = RaftGroup.Ids(1, 3) }, default));
        return new RawNode(new RaftOptions
        {
            Id = One,
            Storage = storage,
            AsyncStorageWrites = true,
            ApplyBeforeOwnWrite = applyBeforeOwnWrite,
        });
    }

    /// <summary>Leads term 1; its first entry is written, committed and applied.</summary>
    private static RawNode Leader(bool applyBeforeOwnWrite, out MemoryStorage storage)
    {
        RawNode raft = Follower(out storage, applyBeforeOwnWrite);
        raft.Campaign();
        Finish(raft, storage, raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend));
        raft.Step(new Message { Type = MessageType.VoteResp, From = Two, To = One, Term = new Term(1) });
        Finish(raft, storage, raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend));
        AcknowledgeByOthers(raft, 1);
        foreach (Message message in raft.Ready().Messages.Where(m => m.To.IsLocalThread))
        {
            Finish(raft, storage, message);
        }

        Assert.Equal(1, raft.AppliedIndex);
        return raft;
    }

    private static void AcknowledgeByOthers(RawNode raft, long index)
    {
        foreach (int from in (int[])[2, 3])
        {
            raft.Step(new Message
            {
                Type = MessageType.AppResp,
                From = new PeerId(from),
                To = One,
                Term = raft.Term,
                Index = index,
            });
        }
    }

    private static void Finish(RawNode raft, MemoryStorage storage, Message work)
    {
        if (work.Type == MessageType.StorageAppend)
        {
            storage.Append(work.Entries);
        }

        foreach (Message response in work.Responses.Where(m => m.To == One))
        {
            raft.Step(response);
        }
    }

    private static Message Append(Term term, long previousIndex, long previousTerm, params long[] terms) => new()
    {
        Type = MessageType.App,
        From = Two,
        To = One,
        Term = term,
        LogTerm = new Term(previousIndex == 0 ? 0 : previousTerm),
        Index = previousIndex,
        Entries = [.. terms.Select((t, i) => new Entry(new Term(t), previousIndex + 1 + i, EntryType.Normal, default))],
    };
}
