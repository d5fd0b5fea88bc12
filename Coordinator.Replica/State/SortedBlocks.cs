using System.Diagnostics.CodeAnalysis;

namespace Coordinator.Replica.State;

/// <summary>
/// A sorted map in blocks: keys in arrays of at most <see cref="BlockCapacity"/>, the blocks in order in one array. A
/// search is two binary searches, an insertion moves at most a block, a million keys cost about 24 bytes each.
/// Invariant: no block is empty, and keys strictly increase through each block and from block to block.
/// </summary>
/// <remarks>A dictionary would be faster, but has no order: listings and snapshots need one that no hash decides.</remarks>
internal sealed class SortedBlocks<TKey, TValue, TOrder>
    where TValue : class
    where TOrder : struct, IComparer<TKey>
{
    public const int BlockCapacity = 128;

    private Block[] _blocks = [];
    private int _blockCount;

    // The block that was emptied last: a map that goes from nothing to one and back would allocate one each time.
    private Block? _spare;

    public int Count { get; private set; }

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        int b = BlockFor(key);
        int slot = b < 0 ? -1 : _blocks[b].Find(key);
        value = slot < 0 ? default : _blocks[b].Values[slot];
        return slot >= 0;
    }

    /// <exception cref="InvalidOperationException">The key is there already.</exception>
    public void Add(TKey key, TValue value)
    {
        if (_blockCount == 0)
            InsertBlock(0, TakeBlock());
        int b = Math.Max(BlockFor(key), 0);
        int slot = ~_blocks[b].Find(key);
        if (slot < 0)
            throw new InvalidOperationException($"The key {key} is there already.");
        if (_blocks[b].Count == BlockCapacity && Split(b, slot))
        {
            b++;
            slot = ~_blocks[b].Find(key);
        }
        _blocks[b].Insert(slot, key, value);
        Count++;
    }

    /// <exception cref="InvalidOperationException">The key is not there.</exception>
    public void Replace(TKey key, TValue value)
    {
        int b = BlockFor(key);
        int slot = b < 0 ? -1 : _blocks[b].Find(key);
        if (slot < 0)
            throw new InvalidOperationException($"The key {key} is not there.");
        _blocks[b].Values[slot] = value;
    }

    public bool Remove(TKey key)
    {
        int b = BlockFor(key);
        int slot = b < 0 ? -1 : _blocks[b].Find(key);
        if (slot < 0)
            return false;
        _blocks[b].RemoveAt(slot);
        Count--;
        if (_blocks[b].Count < BlockCapacity / 4)
            Shrink(b);
        return true;
    }

    public Cursor All() => new(this, 0, -1);

    /// <summary>Everything from <paramref name="key"/> on, itself included.</summary>
    public Cursor From(TKey key) => Seek(key, inclusive: true);

    /// <summary>Everything behind <paramref name="key"/>.</summary>
    public Cursor After(TKey key) => Seek(key, inclusive: false);

    private Cursor Seek(TKey key, bool inclusive)
    {
        int b = BlockFor(key);
        if (b < 0)
            return All();
        int slot = _blocks[b].Find(key);
        int before = slot < 0 ? ~slot - 1 : inclusive ? slot - 1 : slot;
        return new Cursor(this, b, before);
    }

    // The last block whose first key is not above the key; -1: the key is before all.
    private int BlockFor(TKey key)
    {
        int low = 0;
        int high = _blockCount - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (default(TOrder).Compare(_blocks[middle].Keys[0], key) <= 0)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return high;
    }

    // Makes room in a full block. True: the new key belongs into the block behind it. Ascending insertions, as of
    // session ids and while a snapshot is read, leave full blocks behind, not half-full ones.
    private bool Split(int b, int slot)
    {
        int keep = b == _blockCount - 1 && slot == BlockCapacity ? BlockCapacity : BlockCapacity / 2;
        Block behind = TakeBlock();
        _blocks[b].MoveTo(behind, keep);
        InsertBlock(b + 1, behind);
        return slot > keep || keep == BlockCapacity;
    }

    private void Shrink(int b)
    {
        if (_blocks[b].Count == 0)
            RemoveBlock(b);
        else if (b + 1 < _blockCount && FitTogether(b))
            MergeWithNext(b);
        else if (b > 0 && FitTogether(b - 1))
            MergeWithNext(b - 1);
    }

    // Not up to the brim: the next insertion would split again.
    private bool FitTogether(int b) => _blocks[b].Count + _blocks[b + 1].Count <= BlockCapacity * 3 / 4;

    private void MergeWithNext(int b)
    {
        _blocks[b + 1].MoveTo(_blocks[b], 0);
        RemoveBlock(b + 1);
    }

    private void InsertBlock(int b, Block block)
    {
        if (_blockCount == _blocks.Length)
            Array.Resize(ref _blocks, Math.Max(4, _blockCount * 2));
        Array.Copy(_blocks, b, _blocks, b + 1, _blockCount - b);
        _blocks[b] = block;
        _blockCount++;
    }

    private Block TakeBlock()
    {
        Block taken = _spare ?? new Block();
        _spare = null;
        return taken;
    }

    private void RemoveBlock(int b)
    {
        _spare = _blocks[b];
        _blockCount--;
        Array.Copy(_blocks, b + 1, _blocks, b, _blockCount - b);
        _blocks[_blockCount] = null!;
    }

    /// <summary>Walks forward. Only while the map is not changed.</summary>
    internal struct Cursor(SortedBlocks<TKey, TValue, TOrder> map, int block, int slot)
    {
        public readonly TKey Key => map._blocks[block].Keys[slot];

        public readonly TValue Current => map._blocks[block].Values[slot];

        public bool MoveNext()
        {
            if (block < map._blockCount && ++slot < map._blocks[block].Count)
                return true;
            if (block < map._blockCount)
                block++;
            slot = 0;
            return block < map._blockCount;
        }

        /// <summary>
        /// How many keys from here on belong, up to the first that does not: a whole block costs one question.
        /// </summary>
        public int CountWhile(Func<TKey, bool> belongs)
        {
            int count = 0;
            for (; block < map._blockCount; block++, slot = -1)
            {
                Block current = map._blocks[block];
                int left = current.Count - 1 - slot;
                if (left > 0 && !belongs(current.Keys[current.Count - 1]))
                {
                    while (belongs(current.Keys[++slot]))
                        count++;
                    return count;
                }
                count += left;
            }
            return count;
        }

        public readonly Cursor GetEnumerator() => this;
    }

    private sealed class Block
    {
        public TKey[] Keys { get; } = new TKey[BlockCapacity];

        public TValue[] Values { get; } = new TValue[BlockCapacity];

        public int Count { get; private set; }

        // The slot of the key, or the complement of where it would be.
        public int Find(TKey key)
        {
            int low = 0;
            int high = Count - 1;
            while (low <= high)
            {
                int middle = (low + high) >>> 1;
                int order = default(TOrder).Compare(Keys[middle], key);
                if (order == 0)
                    return middle;
                if (order < 0)
                    low = middle + 1;
                else
                    high = middle - 1;
            }
            return ~low;
        }

        public void Insert(int slot, TKey key, TValue value)
        {
            Array.Copy(Keys, slot, Keys, slot + 1, Count - slot);
            Array.Copy(Values, slot, Values, slot + 1, Count - slot);
            Keys[slot] = key;
            Values[slot] = value;
            Count++;
        }

        public void RemoveAt(int slot)
        {
            Count--;
            Array.Copy(Keys, slot + 1, Keys, slot, Count - slot);
            Array.Copy(Values, slot + 1, Values, slot, Count - slot);
            Keys[Count] = default!;
            Values[Count] = default!;
        }

        // Moves all from a slot on to the end of another block.
        public void MoveTo(Block other, int from)
        {
            int moved = Count - from;
            Array.Copy(Keys, from, other.Keys, other.Count, moved);
            Array.Copy(Values, from, other.Values, other.Count, moved);
            Array.Clear(Keys, from, moved);
            Array.Clear(Values, from, moved);
            other.Count += moved;
            Count = from;
        }
    }
}

/// <summary>By UTF-16 code unit: the same on every machine and in every culture.</summary>
internal readonly struct OrdinalOrder : IComparer<string>
{
    public int Compare(string? x, string? y) => string.CompareOrdinal(x, y);
}

internal readonly struct Int64Order : IComparer<long>
{
    public int Compare(long x, long y) => x.CompareTo(y);
}

internal readonly struct UInt128Order : IComparer<UInt128>
{
    public int Compare(UInt128 x, UInt128 y) => x.CompareTo(y);
}
