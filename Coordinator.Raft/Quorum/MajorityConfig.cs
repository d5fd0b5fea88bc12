using System.Collections;
using System.Runtime.CompilerServices;

namespace Coordinator.Raft.Quorum;

/// <summary>
/// A set of peers that decides by majority. Immutable. Invariant: the ids are distinct and ascending.
/// The empty set agrees to everything, so that a joint configuration with an empty half is the other half.
/// </summary>
[CollectionBuilder(typeof(MajorityConfig), nameof(Create))]
public sealed class MajorityConfig : IReadOnlyList<PeerId>, IEquatable<MajorityConfig>
{
    private const int StackLimit = 16;

    private readonly PeerId[] _ids;

    private MajorityConfig(PeerId[] ascending) => _ids = ascending;

    public static MajorityConfig Empty { get; } = new([]);

    public int Count => _ids.Length;

    public bool IsEmpty => _ids.Length == 0;

    public PeerId this[int index] => _ids[index];

    public static MajorityConfig Create(ReadOnlySpan<PeerId> ids)
    {
        if (ids.IsEmpty)
        {
            return Empty;
        }

        PeerId[] sorted = ids.ToArray();
        Array.Sort(sorted);
        int distinct = 1;
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i] != sorted[distinct - 1])
            {
                sorted[distinct++] = sorted[i];
            }
        }

        Array.Resize(ref sorted, distinct);
        return new MajorityConfig(sorted);
    }

    public static MajorityConfig From(IEnumerable<PeerId> ids) => Create([.. ids]);

    public bool Contains(PeerId id) => Array.BinarySearch(_ids, id) >= 0;

    public MajorityConfig With(PeerId id) => Contains(id) ? this : Create([.. _ids, id]);

    public MajorityConfig Without(PeerId id) => Contains(id) ? Create(Array.FindAll(_ids, i => i != id)) : this;

    /// <summary>
    /// The highest index that a majority has acknowledged; a peer that is unknown (null) has acknowledged none, which
    /// counts as 0. The empty set has acknowledged everything: <see cref="long.MaxValue"/>.
    /// </summary>
    public long CommittedIndex(Func<PeerId, long?> acknowledged)
    {
        ArgumentNullException.ThrowIfNull(acknowledged);
        if (IsEmpty)
        {
            return long.MaxValue;
        }

        Span<long> indexes = Count <= StackLimit ? stackalloc long[Count] : new long[Count];
        for (int i = 0; i < Count; i++)
        {
            indexes[i] = acknowledged(_ids[i]) ?? 0;
        }

        indexes.Sort();
        // A majority of n is n/2 + 1 members: so many of the ascending values are at or above this one.
        return indexes[Count - ((Count / 2) + 1)];
    }

    /// <summary>Where an election among these peers stands; null: no vote yet.</summary>
    public VoteResult VoteResult(Func<PeerId, bool?> vote)
    {
        ArgumentNullException.ThrowIfNull(vote);
        if (IsEmpty)
        {
            return Quorum.VoteResult.Won;
        }

        int granted = 0;
        int missing = 0;
        foreach (PeerId id in _ids)
        {
            bool? v = vote(id);
            granted += v == true ? 1 : 0;
            missing += v is null ? 1 : 0;
        }

        int quorum = (Count / 2) + 1;
        return granted >= quorum ? Quorum.VoteResult.Won
            : granted + missing >= quorum ? Quorum.VoteResult.Pending
            : Quorum.VoteResult.Lost;
    }

    public ReadOnlySpan<PeerId>.Enumerator GetEnumerator() => new ReadOnlySpan<PeerId>(_ids).GetEnumerator();

    IEnumerator<PeerId> IEnumerable<PeerId>.GetEnumerator() => ((IEnumerable<PeerId>)_ids).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _ids.GetEnumerator();

    public bool Equals(MajorityConfig? other) => other is not null && _ids.AsSpan().SequenceEqual(other._ids);

    public override bool Equals(object? obj) => Equals(obj as MajorityConfig);

    public override int GetHashCode() => _ids.Length;

    /// <summary>Ids in parentheses, as <c>(1 2 3)</c>.</summary>
    public override string ToString() => $"({string.Join(' ', _ids)})";
}
