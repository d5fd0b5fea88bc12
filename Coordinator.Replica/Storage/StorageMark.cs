namespace Coordinator.Replica.Storage;

/// <summary>
/// How far a peer's storage has certainly come: its latest activation, and the last write that held a promise (a term, a
/// vote, entries, a snapshot). Storage that is behind a mark of it went back in time.
/// </summary>
/// <param name="Epoch">0: none known.</param>
/// <param name="WriteSeq">Writes of a commit index or of marks alone don't count: to lose one loses nothing.</param>
public readonly record struct StorageMark(Guid StorageId, long Epoch, long WriteSeq)
{
    /// <summary>
    /// Whether storage that has come this far has all that it had then. Of two marks of a history that went on, the later one
    /// covers the other: an activation begins with all writes of the ones before.
    /// </summary>
    public bool Covers(StorageMark then) => Epoch >= then.Epoch && WriteSeq >= then.WriteSeq;
}
