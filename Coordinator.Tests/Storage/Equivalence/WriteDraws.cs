using System.Globalization;
using System.Text;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>
/// Draws writes from what an activation knows of its row: most would land, some break one rule of the fence. Invariant:
/// none contradicts itself but <see cref="Nonsense"/>.
/// </summary>
internal sealed class WriteDraws(Prng random)
{
    private int _texts;

    /// <summary>Never the same twice.</summary>
    public string Text() => (++_texts).ToString("'t'0", CultureInfo.InvariantCulture);

    public PeerWrite Write(SimulatedRow view)
    {
        var write = new PeerWrite
        {
            Key = view.Key,
            // Nobody writes under an epoch that has not been given out.
            Epoch = view.Epoch - (random.Chance(0.04) ? 1 : 0),
            WriteSeq = view.WriteSeq + 1 + OffByOne(0.06),
            HardState = DrawVote(view.HardState),
        };
        SnapshotPointer? pointer = random.Chance(0.5) ? DrawPointer(view, write.Epoch) : null;
        if (pointer is not null && random.Chance(0.4))
            return Replace(view, write with { Snapshot = pointer with { Index = pointer.Index + random.Below(6) } });
        if (random.Chance(0.7))
            write = Append(view, write);
        long last = write.Entries.Count > 0 ? write.Entries[^1].Index : view.LastIndex;
        write = write with { HardState = write.HardState with { Commit = DrawCommit(view, last) } };
        if (pointer is not null)
            write = write with { Snapshot = pointer with { Index = DrawSnapshotIndex(view, write.HardState.Commit, last) } };
        return random.Chance(0.3) ? Compact(view, write) : write;
    }

    public PeerWrite Nonsense(SimulatedRow view)
    {
        long first = view.LastIndex + 1;
        var write = new PeerWrite
        {
            Key = view.Key,
            Epoch = view.Epoch,
            WriteSeq = view.WriteSeq + 1,
            HardState = view.HardState,
            Entries = [DrawEntry(first, view.HardState.Term)],
        };
        var pointer = new SnapshotPointer(write.Epoch, 1, first, view.HardState.Term, 1, 1);
        return random.Below(7) switch
        {
            0 => write with { Entries = [write.Entries[0], DrawEntry(first + 2, view.HardState.Term)] },
            1 => write with { Entries = [DrawEntry(first, view.HardState.Term.Next)] },
            2 => write with { HardState = write.HardState with { Commit = first + 1 } },
            3 => write with { CompactThrough = first },
            4 => write with { Snapshot = pointer with { Epoch = view.Epoch - 1 } },
            5 => write with { ReplaceLog = true },
            _ => write with { Snapshot = pointer, ReplaceLog = true },
        };
    }

    private HardState DrawVote(HardState state)
    {
        if (random.Chance(0.25))
            return new HardState(state.Term.Next, new PeerId(random.Below(4)), state.Commit);
        if (random.Chance(0.04))
            return state with { Term = new Term(Math.Max(0, state.Term.Value - 1)) };
        return state.Vote.IsNone || random.Chance(0.04) ? state with { Vote = new PeerId(random.Below(4)) } : state;
    }

    private PeerWrite Append(SimulatedRow view, PeerWrite write)
    {
        long commit = view.HardState.Commit;
        long first = random.Below(20) switch
        {
            0 => Math.Max(1, commit),
            1 => view.LastIndex + 2,
            < 7 => random.Between(commit + 1, view.LastIndex + 1),
            _ => view.LastIndex + 1,
        };
        Term term = write.HardState.Term;
        return write with
        {
            Entries = [.. Enumerable.Range(0, 1 + random.Below(3)).Select(i => DrawEntry(first + i, term))],
        };
    }

    /// <summary>A leader's snapshot: the log goes, entries may follow at once.</summary>
    private PeerWrite Replace(SimulatedRow view, PeerWrite write)
    {
        long index = write.Snapshot!.Index;
        Entry[] entries = [.. Enumerable.Range(1, random.Below(3)).Select(i => DrawEntry(index + i, write.HardState.Term))];
        long commit = random.Chance(0.05) ? Math.Max(0, view.HardState.Commit - 1) : Math.Max(index, view.HardState.Commit);
        if (entries.Length > 0)
            commit = Math.Min(commit, entries[^1].Index);
        return write with { ReplaceLog = true, Entries = entries, HardState = write.HardState with { Commit = commit } };
    }

    private long DrawCommit(SimulatedRow view, long last)
    {
        long commit = view.HardState.Commit;
        return random.Below(20) switch
        {
            0 => Math.Min(last, Math.Max(0, commit - 1)),
            1 => last,
            _ => random.Between(Math.Min(commit, last), last),
        };
    }

    /// <summary>The newest snapshot whose chunks this activation has written and not switched to yet.</summary>
    private static SnapshotPointer? DrawPointer(SimulatedRow view, long epoch)
    {
        ((long Epoch, long Id) id, ReadOnlyMemory<byte> data) = view.Chunks.LastOrDefault();
        return id.Epoch == epoch && id.CompareTo((view.Pointer.Epoch, view.Pointer.Id)) > 0
            ? new SnapshotPointer(epoch, id.Id, view.Pointer.Index, view.Pointer.Term, 1, data.Length)
            : null;
    }

    /// <summary>Committed, mostly; else before the one in force, or past the log.</summary>
    private long DrawSnapshotIndex(SimulatedRow view, long commit, long last) => random.Below(10) switch
    {
        0 => view.Pointer.Index - 1,
        1 => last + 1,
        _ => random.Between(view.Pointer.Index, Math.Max(view.Pointer.Index, commit)),
    };

    private PeerWrite Compact(SimulatedRow view, PeerWrite write)
    {
        long snapshot = write.Snapshot?.Index ?? view.Pointer.Index;
        long through = random.Chance(0.1) ? snapshot + 1 : Math.Max(0, random.Between(snapshot - 2, snapshot));
        return write.Entries.Count > 0 && through >= write.Entries[0].Index ? write : write with { CompactThrough = through };
    }

    private Entry DrawEntry(long index, Term term) =>
        new(term, index, EntryType.Normal, Encoding.UTF8.GetBytes(Text()), random.Below(1000));

    private long OffByOne(double chance) => random.Chance(chance) ? random.Between(-1, 1) : 0;
}
