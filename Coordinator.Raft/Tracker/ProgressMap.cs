using System.Diagnostics.CodeAnalysis;

namespace Coordinator.Raft.Tracker;

/// <summary>
/// The progress of each tracked peer, by ascending id, so that messages go out in the same order everywhere.
/// </summary>
internal sealed class ProgressMap
{
    private readonly SortedList<PeerId, Progress> _peers = [];

    public int Count => _peers.Count;

    public PeerId IdAt(int position) => _peers.GetKeyAtIndex(position);

    public Progress At(int position) => _peers.GetValueAtIndex(position);

    public Progress? Find(PeerId id) => _peers.GetValueOrDefault(id);

    public bool TryFind(PeerId id, [NotNullWhen(true)] out Progress? progress) =>
        _peers.TryGetValue(id, out progress);

    public bool Contains(PeerId id) => _peers.ContainsKey(id);

    public void Set(PeerId id, Progress progress) => _peers[id] = progress;

    public void Remove(PeerId id) => _peers.Remove(id);

    /// <summary>A copy whose roles may be changed.</summary>
    public ProgressMap Clone()
    {
        ProgressMap copy = new();
        foreach ((PeerId id, Progress progress) in _peers)
        {
            copy._peers.Add(id, progress.Clone());
        }

        return copy;
    }
}
