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
