namespace Coordinator.Simulation.Invariants;

/// <summary>The group's history as first applied by any replica. Invariant: contiguous, and it only grows.</summary>
internal sealed class CommittedLog(long baseIndex)
{
    private readonly List<CommittedEntry> _entries = [];

    public long BaseIndex { get; } = baseIndex;

    public long LastIndex => BaseIndex + _entries.Count;

    public CommittedEntry? Last => _entries.Count > 0 ? _entries[^1] : null;

    /// <summary>Null: not committed, as far as known, or part of the bootstrap.</summary>
    public CommittedEntry? Find(long index) =>
        index > BaseIndex && index <= LastIndex ? _entries[(int)(index - BaseIndex - 1)] : null;

    public void Add(CommittedEntry entry) => _entries.Add(entry);
}
