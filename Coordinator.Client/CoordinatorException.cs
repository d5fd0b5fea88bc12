using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>The service refused a request, or could not say what became of it; <see cref="Code"/> tells which.</summary>
public class CoordinatorException : Exception
{
    public CoordinatorException(ErrorCode code, string message) : base(message) => Code = code;

    public CoordinatorException(ErrorCode code, string message, Exception? innerException)
        : base(message, innerException) => Code = code;

    /// <summary>Stable: the same codes as in the HTTP interface.</summary>
    public ErrorCode Code { get; }
}

/// <summary>
/// A write was sent and no answer came in time: it may or may not have happened, now or never. Read what it wrote
/// before repeating it. It will not happen late: the client's next write in the session shuts the door behind it.
/// </summary>
public sealed class CoordinatorOutcomeUnknownException(string message)
    : CoordinatorException(ErrorCode.OutcomeUnknown, message);

/// <summary>The client already has as many open requests as its options allow; this one was not begun.</summary>
public sealed class TooManyOpenRequestsException(string message)
    : CoordinatorException(ErrorCode.TooManyOpenRequests, message);

/// <summary>
/// The cluster did not answer within <see cref="CoordinatorClientOptions.RequestTimeout"/>, and nothing was changed: the
/// request was a read, was never sent, or was an acquire, which the client goes on withdrawing by itself.
/// </summary>
public sealed class CoordinatorTimeoutException(string message) : TimeoutException(message);

/// <summary>The wait ended before what was to be acquired was free. The cluster has confirmed that nothing is held.</summary>
public sealed class LockNotAcquiredException(string name, string message, HoldingDescription? description = null)
    : TimeoutException(message)
{
    /// <summary>Of what was not free.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// Who held it and who waited for it just after the wait had ended; null if nobody did any more, or it could not be
    /// read.
    /// </summary>
    public HoldingDescription? Description { get; } = description;
}

/// <summary>
/// The revision is no longer kept, to be read or to be watched from. Read the keys as they are now, and watch from the
/// revision after that: see <see cref="CoordinatorConfiguration.SnapshotAsync"/>.
/// </summary>
public sealed class RevisionCompactedException(long compactedRevision, string message)
    : CoordinatorException(ErrorCode.Compacted, message)
{
    /// <summary>The oldest revision that can still be read; 0: the cluster did not say.</summary>
    public long CompactedRevision { get; } = compactedRevision;
}

/// <summary>
/// The key was not at the expected version or revision, or exists although it must not; nothing was changed. Somebody
/// else was faster: read it again, and decide again.
/// </summary>
public sealed class ConditionFailedException(string message) : CoordinatorException(ErrorCode.ConditionFailed, message);
