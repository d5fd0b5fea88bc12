namespace Coordinator.Raft.Log;

/// <summary>
/// Names one entry for good: two logs that hold the same term at the same index hold the same entries up to it
/// (Log Matching, Raft §5.3).
/// </summary>
internal readonly record struct LogPosition(long Index, Term Term)
{
    /// <summary>A log that ends here is at least as up-to-date as one that ends there (Raft §5.4.1).</summary>
    public bool IsUpToDateWith(LogPosition other) =>
        Term > other.Term || (Term == other.Term && Index >= other.Index);

    public override string ToString() => $"{Term}/{Index}";
}
