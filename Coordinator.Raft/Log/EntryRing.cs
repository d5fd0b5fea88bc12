namespace Coordinator.Raft.Log;

/// <summary>
/// Consecutive entries, added at the end, dropped at either end. Kept in chunks aligned to the log index, in a ring of
/// chunks, so that adding and dropping copy no entries, and a slice within a chunk is a window on it.
/// Invariant: a slot that a slice may show is never written again; a shortened chunk is copied before it grows anew.
/// </summary>
internal sealed class EntryRing
{
    private const int ChunkShift = 8;
    private const int ChunkSize = 1 << ChunkShift;
    private const int SlotMask = ChunkSize - 1;

    // The chunk that holds index i is at (i >> ChunkShift) & (length - 1); the length is a power of two.
    private Entry[]?[] _chunks = new Entry[]?[4];

    public EntryRing(long nextIndex) => Reset(nextIndex);

    /// <summary>The first index held, or the next to be added.</summary>
    public long First { get; private set; }

    /// <summary>The last index held; First - 1 when empty.</summary>
    public long Last { get; private set; }

    public int Count => (int)(Last - First + 1);

    public ref readonly Entry this[long index]
    {
        get
        {
            Invariant.Require(index >= First && index <= Last, $"entry {index} is not in [{First}, {Last}]");
            return ref ChunkAt(index)[index & SlotMask];
        }
    }

    public void Append(in Entry entry)
    {
        Invariant.Require(entry.Index == Last + 1, $"entry {entry.Index} appended after {Last}");
        ChunkToWrite(entry.Index)[entry.Index & SlotMask] = entry;
        Last = entry.Index;
    }

    public void Append(ReadOnlySpan<Entry> entries)
    {
        foreach (ref readonly Entry entry in entries)
        {
            Append(entry);
        }
    }

    /// <summary>Forgets everything and goes on at an index.</summary>
    public void Reset(long nextIndex)
    {
        Array.Clear(_chunks);
        First = nextIndex;
        Last = nextIndex - 1;
    }

    /// <summary>Drops all entries up to and with an index.</summary>
    public void DropThrough(long index)
    {
        Invariant.Require(index >= First - 1 && index <= Last, $"drop through {index} is not in [{First}, {Last}]");
        long firstChunkKept = (index + 1) >> ChunkShift;
        for (long chunk = First >> ChunkShift; chunk < firstChunkKept; chunk++)
        {
            _chunks[chunk & (_chunks.Length - 1)] = null;
        }

        First = index + 1;
    }

    /// <summary>Drops all entries from an index on.</summary>
    public void TruncateFrom(long index)
    {
        Invariant.Require(index >= First && index <= Last + 1, $"truncation from {index} is not in [{First}, {Last}]");
        for (long chunk = (Last >> ChunkShift) + 1; chunk-- > index >> ChunkShift;)
        {
            ref Entry[]? slot = ref _chunks[chunk & (_chunks.Length - 1)];
            bool keepsSome = chunk == index >> ChunkShift && (index & SlotMask) != 0;
            slot = keepsSome && slot is not null ? CopyOf(slot, (int)(index & SlotMask)) : null;
        }

        Last = index - 1;
    }

    /// <summary>The entries in [lo, hi), cut to <paramref name="maxBytes"/> encoded, but at least one.</summary>
    public EntrySlice Slice(long lo, long hi, long maxBytes)
    {
        Invariant.Require(
            lo >= First && lo <= hi && hi <= Last + 1, $"slice [{lo}, {hi}) is out of bounds [{First}, {Last}]");
        if (lo == hi)
        {
            return EntrySlice.Empty;
        }

        int count = CountWithin(lo, hi, maxBytes);
        int slot = (int)(lo & SlotMask);
        return slot + count <= ChunkSize
            ? new EntrySlice(ChunkAt(lo), slot, count)
            : new EntrySlice(Gather(lo, count), 0, count);
    }

    private static Entry[] CopyOf(Entry[] chunk, int count)
    {
        Entry[] copy = new Entry[ChunkSize];
        Array.Copy(chunk, copy, count);
        return copy;
    }

    private int CountWithin(long lo, long hi, long maxBytes)
    {
        int count = (int)(hi - lo);
        if (maxBytes == long.MaxValue)
        {
            return count;
        }

        long bytes = 0;
        for (int i = 0; i < count; i++)
        {
            bytes += EntrySize.Encoded(ChunkAt(lo + i)[(lo + i) & SlotMask]);
            if (bytes > maxBytes)
            {
                return Math.Max(i, 1);
            }
        }

        return count;
    }

    private Entry[] Gather(long lo, int count)
    {
        Entry[] gathered = new Entry[count];
        for (int done = 0; done < count;)
        {
            int slot = (int)((lo + done) & SlotMask);
            int run = Math.Min(count - done, ChunkSize - slot);
            Array.Copy(ChunkAt(lo + done), slot, gathered, done, run);
            done += run;
        }

        return gathered;
    }

    private Entry[] ChunkAt(long index) => _chunks[(index >> ChunkShift) & (_chunks.Length - 1)]!;

    private Entry[] ChunkToWrite(long index)
    {
        long chunk = index >> ChunkShift;
        while (chunk - (First >> ChunkShift) >= _chunks.Length)
        {
            GrowRing();
        }

        return _chunks[chunk & (_chunks.Length - 1)] ??= new Entry[ChunkSize];
    }

    private void GrowRing()
    {
        Entry[]?[] larger = new Entry[]?[_chunks.Length * 2];
        for (long chunk = First >> ChunkShift; chunk <= Last >> ChunkShift; chunk++)
        {
            larger[chunk & (larger.Length - 1)] = _chunks[chunk & (_chunks.Length - 1)];
        }

        _chunks = larger;
    }
}
