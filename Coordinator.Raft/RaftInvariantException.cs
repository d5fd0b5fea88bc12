namespace Coordinator.Raft;

/// <summary>
/// A state that cannot be: memory, storage or the program is broken. The peer must stop; going on could lose what was
/// committed.
/// </summary>
public sealed class RaftInvariantException : Exception
{
    public RaftInvariantException()
    {
    }

    public RaftInvariantException(string message)
        : base(message)
    {
    }

    public RaftInvariantException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
