using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>What a caller is told of its request, once. All cases are here.</summary>
internal abstract record Completion
{
    private Completion()
    {
    }

    public sealed record Acquired(Holding Holding) : Completion;

    public sealed record Opened(Session Session) : Completion;

    /// <summary>How many groups the cluster has.</summary>
    public sealed record Greeted(int Groups) : Completion;

    /// <summary>Never sent, as it is for another group: to be submitted there.</summary>
    public sealed record Elsewhere(Scope Scope) : Completion;

    public sealed record Leased(Lease Lease) : Completion;

    /// <summary>Certain: nothing is held, and nothing will be.</summary>
    public sealed record NotAcquired : Completion;

    /// <summary>Released, or nothing was held any more, or the session's end releases it.</summary>
    public sealed record Released : Completion;

    /// <summary>The log's answer to a write, a refusal included.</summary>
    public sealed record Answered(CommandAnswer Answer) : Completion;

    /// <summary>The cluster can't tell this watcher any more.</summary>
    /// <param name="CompactedRevision">The oldest that can still be read, if it was compaction; otherwise 0.</param>
    public sealed record StreamEnded(ErrorCode Code, string Message, long CompactedRevision) : Completion;

    /// <summary>The group's answer to an operator, a refusal included.</summary>
    public sealed record Administered(ClusterAnswer Answer) : Completion;

    public sealed record Read(QueryAnswer Answer) : Completion;

    /// <summary>Nothing was done.</summary>
    public sealed record Refused(ErrorCode Code, string Message) : Completion;

    /// <summary>A write that may or may not have happened.</summary>
    public sealed record OutcomeUnknown(string Message) : Completion;

    /// <summary>No answer in time; nothing was done, or what was done is being undone.</summary>
    public sealed record TimedOut(string Message) : Completion;

    /// <summary>The caller left; it is told at once, whatever is still to be tidied up.</summary>
    public sealed record Cancelled : Completion;

    /// <summary>The client was disposed.</summary>
    public sealed record Stopped : Completion;
}
