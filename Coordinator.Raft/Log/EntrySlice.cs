using System.Collections;
using System.Runtime.CompilerServices;

namespace Coordinator.Raft;

/// <summary>
/// A run of consecutive log entries, a window on a shared array. Costs no allocation to cut and hand on.
/// Invariant: the elements it shows never change, whatever happens to the log afterwards.
/// </summary>
[CollectionBuilder(typeof(EntrySliceBuilder), nameof(EntrySliceBuilder.Create))]
public readonly struct EntrySlice : IReadOnlyList<Entry>, IEquatable<EntrySlice>
{
    private readonly Entry[]? _array;
    private readonly int _offset;

    /// <summary>A window on <paramref name="array"/>, whose elements in it must not change any more.</summary>
    public EntrySlice(Entry[] array, int offset, int count)
    {
        ArgumentNullException.ThrowIfNull(array);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, array.Length - count);
        _array = array;
        _offset = offset;
        Count = count;
    }

    public static EntrySlice Empty => default;

    public int Count { get; }

    public bool IsEmpty => Count == 0;

    public ReadOnlySpan<Entry> Span => new(_array, _offset, Count);

    public ref readonly Entry this[int index] => ref Span[index];

    Entry IReadOnlyList<Entry>.this[int index] => Span[index];

    /// <summary>The last entry; there must be one.</summary>
    public ref readonly Entry Last => ref Span[Count - 1];

    public EntrySlice Slice(int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start, (uint)Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(Count - start));
        return length == 0 ? Empty : new EntrySlice(_array!, _offset + start, length);
    }

    public EntrySlice Slice(int start) => Slice(start, Count - start);

    public ReadOnlySpan<Entry>.Enumerator GetEnumerator() => Span.GetEnumerator();

    IEnumerator<Entry> IEnumerable<Entry>.GetEnumerator() =>
        new ArraySegment<Entry>(_array ?? [], _offset, Count).AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<Entry>)this).GetEnumerator();

    /// <summary>The same window on the same array, which implies the same entries.</summary>
    public bool Equals(EntrySlice other) =>
        Count == other.Count && (Count == 0 || (ReferenceEquals(_array, other._array) && _offset == other._offset));

    public override bool Equals(object? obj) => obj is EntrySlice other && Equals(other);

    public override int GetHashCode() => Count;

    public override string ToString() => IsEmpty ? "[]" : $"[{this[0].Index}..{Last.Index}]";

    public static bool operator ==(EntrySlice left, EntrySlice right) => left.Equals(right);
    public static bool operator !=(EntrySlice left, EntrySlice right) => !left.Equals(right);

    public static implicit operator ReadOnlySpan<Entry>(EntrySlice slice) => slice.Span;
}

/// <summary>Makes an <see cref="EntrySlice"/> of a collection expression.</summary>
public static class EntrySliceBuilder
{
    public static EntrySlice Create(ReadOnlySpan<Entry> entries) =>
        entries.IsEmpty ? EntrySlice.Empty : new EntrySlice(entries.ToArray(), 0, entries.Length);
}
