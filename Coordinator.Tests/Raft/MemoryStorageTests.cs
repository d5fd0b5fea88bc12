using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>The log in memory, at the seams of its chunks and at its ends.</summary>
public sealed class MemoryStorageTests
{
    [Fact]
    public void An_empty_log_begins_at_1_after_term_0()
    {
        MemoryStorage storage = new();

        Assert.Equal((1, 0), (storage.FirstIndex, storage.LastIndex));
        Assert.Equal(Term.Zero, storage.TermAt(0));
        Assert.Null(storage.TermAt(1));
        Assert.Null(storage.TermAt(-1));
    }

    [Theory]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1025)]
    [InlineData(5000)]
    public void Entries_are_read_as_they_were_appended_across_chunks(int count)
    {
        MemoryStorage storage = new();
        storage.Append(Entries(1, count));

        EntrySlice all = storage.Entries(1, count + 1, long.MaxValue);

        Assert.Equal(Enumerable.Range(1, count).Select(i => (long)i), all.ToArray().Select(e => e.Index));
    }

    [Fact]
    public void A_slice_keeps_showing_what_it_showed()
    {
        MemoryStorage storage = new();
        storage.Append(Entries(1, 300, term: 1));
        EntrySlice before = storage.Entries(200, 250, long.MaxValue);
        EntrySlice whole = storage.Entries(10, 20, long.MaxValue);

        storage.Append(Entries(210, 400, term: 2));
        storage.Compact(405);
        storage.Append(Entries(610, 700, term: 3));

        Assert.All(before.ToArray(), e => Assert.Equal(new Term(1), e.Term));
        Assert.Equal(Enumerable.Range(10, 10).Select(i => (long)i), whole.ToArray().Select(e => e.Index));
    }

    [Fact]
    public void Appending_over_a_tail_replaces_it()
    {
        MemoryStorage storage = new();
        storage.Append(Entries(1, 10, term: 1));
        storage.Append(Entries(5, 2, term: 2));

        Assert.Equal(6, storage.LastIndex);
        Assert.Equal([1, 1, 1, 1, 2, 2], Enumerable.Range(1, 6).Select(i => storage.TermAt(i)!.Value.Value));
    }

    [Fact]
    public void Appending_what_is_compacted_is_skipped()
    {
        MemoryStorage storage = new();
        storage.Append(Entries(1, 10));
        storage.Compact(6);

        storage.Append(Entries(1, 4, term: 9));
        Assert.Equal((7, 10), (storage.FirstIndex, storage.LastIndex));

        storage.Append(Entries(5, 4, term: 2));
        Assert.Equal((7, 8), (storage.FirstIndex, storage.LastIndex));
        Assert.Equal(new Term(2), storage.TermAt(7));
    }

    [Fact]
    public void A_gap_is_refused()
    {
        MemoryStorage storage = new();
        storage.Append(Entries(1, 2));

        Assert.Throws<RaftInvariantException>(() => storage.Append(Entries(4, 1)));
    }

    [Fact]
    public void Compaction_keeps_the_term_before_the_first_entry()
    {
        MemoryStorage storage = new();
        storage.Append(Entries(1, 10, term: 4));

        storage.Compact(10);
        Assert.Equal((11, 10), (storage.FirstIndex, storage.LastIndex));
        Assert.Equal(new Term(4), storage.TermAt(10));
        Assert.Null(storage.TermAt(9));

        storage.Compact(3);
        Assert.Equal(11, storage.FirstIndex);
        Assert.Throws<RaftInvariantException>(() => storage.Compact(11));
    }

    [Fact]
    public void A_snapshot_replaces_the_log_unless_it_is_no_newer()
    {
        MemoryStorage storage = new();
        storage.Append(Entries(1, 10));
        ConfState members = new() { Voters = RaftGroup.Ids(1, 3) };

        Assert.True(storage.ApplySnapshot(new Snapshot(7, new Term(3), members, default)));
        Assert.Equal((8, 7), (storage.FirstIndex, storage.LastIndex));
        Assert.Equal(new Term(3), storage.TermAt(7));
        Assert.Equal(members, storage.InitialState().ConfState);

        Assert.False(storage.ApplySnapshot(new Snapshot(7, new Term(3), members, default)));
        Assert.False(storage.ApplySnapshot(new Snapshot(6, new Term(3), members, default)));
    }

    [Fact]
    public void A_snapshot_to_send_is_taken_of_what_is_in_the_log()
    {
        MemoryStorage storage = new();
        Assert.Null(storage.Snapshot());
        storage.Append(Entries(1, 10, term: 2));

        Snapshot snapshot = storage.CreateSnapshot(4, new ConfState(), "s"u8.ToArray());

        Assert.Equal((4, new Term(2)), (snapshot.Index, snapshot.Term));
        Assert.Same(snapshot, storage.Snapshot());
        Assert.Equal(1, storage.FirstIndex);
        Assert.Throws<RaftInvariantException>(() => storage.CreateSnapshot(11, new ConfState(), default));
        Assert.Throws<RaftInvariantException>(() => storage.CreateSnapshot(3, new ConfState(), default));
    }

    [Theory]
    [InlineData(6, 4, 7, 9)]
    [InlineData(3, 8, 4, 10)]
    [InlineData(5, 1, 6, 5)]
    [InlineData(6, 0, 6, 5)]
    public void A_stored_peer_is_loaded_with_the_tail_before_its_snapshot(
        long firstStored, int count, long firstIndex, long lastIndex)
    {
        // With a tail, the first stored entry stands for what precedes the log.
        bool tail = count > 0 && firstStored <= 5;
        Snapshot snapshot = new(5, new Term(1), new ConfState(), default);

        MemoryStorage storage = MemoryStorage.Load(
            new HardState(new Term(1), PeerId.None, 5), new ConfState(), snapshot, Entries(firstStored, count));

        Assert.Equal((tail ? firstIndex : 6, lastIndex), (storage.FirstIndex, storage.LastIndex));
        Assert.Equal(new Term(1), storage.TermAt(5));
        Assert.NotNull(new RawNode(new RaftOptions { Id = new PeerId(1), Storage = storage, Applied = 5 }));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(7, 2)]
    public void A_stored_log_that_does_not_meet_its_snapshot_is_refused(long firstStored, int count)
    {
        Snapshot snapshot = new(5, new Term(1), new ConfState(), default);

        Assert.Throws<RaftInvariantException>(
            () => MemoryStorage.Load(default, new ConfState(), snapshot, Entries(firstStored, count)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_long_random_use_agrees_with_a_plain_list(int seed)
    {
        Random random = new(seed);
        MemoryStorage storage = new();
        List<Entry> model = [];
        long first = 1;
        for (int step = 0; step < 3000; step++)
        {
            long last = first + model.Count - 1;
            switch (random.Next(4))
            {
                case 0 when model.Count > 0:
                    long through = first + random.Next(model.Count);
                    storage.Compact(through);
                    model.RemoveRange(0, (int)(through - first + 1));
                    first = through + 1;
                    break;
                case 1:
                    long from = first + random.Next(model.Count + 1);
                    Entry[] over = Entries(from, 1 + random.Next(50), term: step);
                    storage.Append(over);
                    model.RemoveRange((int)(from - first), (int)(last - from + 1));
                    model.AddRange(over);
                    break;
                default:
                    Entry[] more = Entries(last + 1, 1 + random.Next(400), term: step);
                    storage.Append(more);
                    model.AddRange(more);
                    break;
            }

            last = first + model.Count - 1;
            Assert.True((first, last) == (storage.FirstIndex, storage.LastIndex), $"seed {seed}, step {step}");
            long lo = first + random.Next(model.Count + 1);
            long hi = lo + random.Next((int)(last + 1 - lo) + 1);
            EntrySlice slice = storage.Entries(lo, hi, long.MaxValue);
            Assert.True(
                slice.Span.SequenceEqual(model.GetRange((int)(lo - first), (int)(hi - lo)).ToArray()),
                $"seed {seed}, step {step}: [{lo}, {hi})");
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(11, 1)]
    [InlineData(23, 1)]
    [InlineData(24, 2)]
    [InlineData(long.MaxValue, 5)]
    public void A_read_is_cut_to_a_size_in_bytes_but_holds_one_entry_at_least(long maxBytes, int count)
    {
        MemoryStorage storage = new();
        // Type 2, term 2, index 2, and data 1 + 1 + 4: 12 bytes each.
        storage.Append([.. Enumerable.Range(1, 5).Select(i => new Entry(new Term(1), i, EntryType.Normal, new byte[4]))]);

        Assert.Equal(count, storage.Entries(1, 6, maxBytes).Count);
    }

    private static Entry[] Entries(long first, int count, long term = 1) =>
        [.. Enumerable.Range(0, count).Select(i => new Entry(new Term(term), first + i, EntryType.Normal, default))];
}
