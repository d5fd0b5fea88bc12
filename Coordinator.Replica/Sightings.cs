using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

/// <summary>
/// How far each other peer's storage has come, as they have told in their messages; stored with this peer's own. Invariant:
/// a mark only grows, whatever an activation on older storage says of itself.
/// </summary>
internal sealed class Sightings
{
    private const int PeersMax = 64;

    private readonly SortedDictionary<PeerId, StorageMark> _marks = [];

    /// <summary>When it came to hold what is not stored; null: all of it is.</summary>
    public long? UnstoredSinceUs { get; private set; }

    public StorageMark Of(PeerId peer, Guid storageId) =>
        _marks.TryGetValue(peer, out StorageMark mark) && mark.StorageId == storageId ? mark : new StorageMark(storageId, 0, 0);

    public void Load(IReadOnlyList<PeerSighting> stored)
    {
        foreach (PeerSighting sighting in stored)
            Saw(sighting.Peer, sighting.Mark, 0);
        UnstoredSinceUs = null;
    }

    public void Saw(PeerId peer, StorageMark told, long nowUs)
    {
        StorageMark known = Of(peer, told.StorageId);
        var mark = new StorageMark(told.StorageId, Math.Max(known.Epoch, told.Epoch), Math.Max(known.WriteSeq, told.WriteSeq));
        if (mark == known || (_marks.Count >= PeersMax && !_marks.ContainsKey(peer)))
            return;
        _marks[peer] = mark;
        UnstoredSinceUs ??= nowUs;
    }

    /// <summary>Who has left promises nothing any more, and its id does not come back.</summary>
    public void Keep(GroupMembership membership)
    {
        foreach (PeerId peer in _marks.Keys.Where(peer => peer < membership.NextPeerId && membership.Find(peer) is null).ToArray())
            _marks.Remove(peer);
    }

    /// <summary>To be stored with the next write, whatever that is for. Null: nothing new.</summary>
    public IReadOnlyList<PeerSighting>? TakeUnstored()
    {
        if (UnstoredSinceUs is null)
            return null;
        UnstoredSinceUs = null;
        return [.. _marks.Select(mark => new PeerSighting(mark.Key, mark.Value))];
    }

    /// <summary>A write that was to hold some did not come through for certain.</summary>
    public void StoreAgain(long nowUs)
    {
        if (_marks.Count > 0)
            UnstoredSinceUs ??= nowUs;
    }
}
