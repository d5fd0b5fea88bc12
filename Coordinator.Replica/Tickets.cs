using Coordinator.Contracts;

namespace Coordinator.Replica;

/// <summary>
/// A command that somebody waits for. The shell derives from it to carry its future; the replica keeps the rest.
/// Completed exactly once, through <see cref="ReplicaEffects.Completed"/>.
/// </summary>
public class CommandTicket(Command command, ReadOnlyMemory<byte> payload)
{
    public Command Command { get; } = command;

    /// <summary>The serialized command: what the log entry carries.</summary>
    public ReadOnlyMemory<byte> Payload { get; } = payload;

    /// <summary>Log position at which a leader appended it; 0 before.</summary>
    internal long EntryIndex { get; set; }

    internal Raft.Term EntryTerm { get; set; }

    /// <summary>Index of the acquire that waits in the log, once it has been applied as queued; 0 before.</summary>
    internal long WaitIndex { get; set; }

    internal long DeadlineUs { get; set; }

    internal bool IsCompleted { get; set; }
}

/// <summary>What may have to wait for a read round.</summary>
public abstract class ReadTicket
{
    private protected ReadTicket()
    {
    }

    internal long DeadlineUs { get; set; }
}

/// <summary>A read that somebody waits for. Completed exactly once.</summary>
public class QueryTicket(Query query) : ReadTicket
{
    public Query Query { get; } = query;
}

/// <summary>A keep-alive of one session that waits for the next gathered entry. Completed exactly once.</summary>
public class KeepAliveTicket(long sessionId)
{
    public long SessionId { get; } = sessionId;
}
