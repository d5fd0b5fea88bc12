using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// One request on its way. Invariant: its frame is made once for each request id and sent unchanged however often,
/// so that a repeat can only ever be taken for the same request (rule 14).
/// </summary>
internal abstract class Operation
{
    /// <summary>Correlation id, and the order of submission.</summary>
    public long Id { get; set; }

    /// <summary>Who is told, as the host knows it; null once told, or if nobody ever asked.</summary>
    public object? Caller { get; set; }

    /// <summary>What decides its group, if whoever submits it can't know yet; null: it is for the machine's own.</summary>
    public Scope? Scope { get; set; }

    /// <summary>What is sent; null before the first sending.</summary>
    public ClientFrame? Frame { get; set; }

    /// <summary>How often it was sent.</summary>
    public int Sends { get; set; }

    /// <summary>
    /// When its frame was sent for the first time, and for the last. An entry of the log may be of any sending; an answer
    /// that comes in on a link is to the last.
    /// </summary>
    public ClientInstant? FirstSent { get; set; }

    /// <inheritdoc cref="FirstSent"/>
    public ClientInstant LastSent { get; set; }

    /// <summary>Refusals in a row that were no final answer.</summary>
    public int Failures { get; set; }

    /// <summary>Sent on the present link and not answered.</summary>
    public bool IsOnWire { get; set; }

    /// <summary>When to send it again after a refusal; <see cref="TimeSpan.MaxValue"/> for not by the clock.</summary>
    public TimeSpan RetryAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>When a silo that has not answered it is left for another; set while it is on the wire.</summary>
    public TimeSpan OverdueAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>When its caller is told that no answer came; <see cref="TimeSpan.MaxValue"/> for never.</summary>
    public TimeSpan GiveUpAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>Key of the <see cref="TimerHeap"/>, which alone sets these two.</summary>
    public TimeSpan Due { get; set; }

    public int HeapIndex { get; set; } = -1;

    /// <summary>False for what may be silent for long although all is well.</summary>
    public virtual bool IsAnsweredSoon => true;

    /// <summary>The next moment at which this wants to be looked at.</summary>
    public virtual TimeSpan NextDue
    {
        get
        {
            TimeSpan due = IsOnWire ? OverdueAt : RetryAt;
            return Caller is not null && GiveUpAt < due ? GiveUpAt : due;
        }
    }
}

/// <summary>A read: may be repeated and dropped freely.</summary>
internal sealed class QueryOperation(Query query) : Operation
{
    public Query Query { get; } = query;

    /// <summary>Asked by the machine itself, for how much is left of a hold; otherwise null.</summary>
    public MarkOperation? Measures { get; init; }
}

/// <summary>An entry of the log, in a session. Invariant: a session and a request id exactly from its first sending.</summary>
internal abstract class CommandOperation : Operation
{
    public Session? Session { get; set; }

    public RequestSlot? Slot { get; set; }

    /// <summary>Its place among those not sent yet.</summary>
    public LinkedListNode<CommandOperation>? Unsent { get; set; }

    /// <summary>A fresh command with the operation alone filled in.</summary>
    public abstract Command MakeCommand(TimeSpan now);
}

/// <summary>A change of the configuration.</summary>
internal sealed class WriteOperation(Command command) : CommandOperation
{
    public override Command MakeCommand(TimeSpan now) => command.Clone();
}

/// <summary>Gives one resource of a holding back; repeated until answered or its session is over.</summary>
internal sealed class ReleaseOperation(Holding holding, int part = 0) : CommandOperation
{
    public Holding Holding { get; } = holding;

    public override Command MakeCommand(TimeSpan now) => new() { ReleaseLock = Holding.ToReleaseLock(part) };
}

/// <summary>What only its holder does to a holding: downgrades it, proclaims, hands over.</summary>
internal sealed class HoldingOperation(Holding holding, Command command) : CommandOperation
{
    public Holding Holding { get; } = holding;

    public Command Command { get; } = command;

    public override Command MakeCommand(TimeSpan now) => Command.Clone();
}

/// <summary>
/// An entry that changes nothing: a cancel of an acquire that was granted, which gives nothing back. What the log's time
/// is after it, it was at the most when this was first sent.
/// </summary>
internal sealed class MarkOperation(AcquireOperation acquire, long requestId) : CommandOperation
{
    public AcquireOperation Acquire { get; } = acquire;

    public override Command MakeCommand(TimeSpan now) => new() { CancelWait = new CancelWait { RequestId = requestId } };
}

/// <summary>Ends the wait of an acquire; repeated until answered or the session is over (rule 16).</summary>
internal sealed class CancelOperation(AcquireOperation acquire, bool releaseIfGranted) : CommandOperation
{
    public AcquireOperation Acquire { get; } = acquire;

    /// <summary>Nobody waits for the lock any more; otherwise a grant that came first is handed out.</summary>
    public bool ReleaseIfGranted { get; } = releaseIfGranted;

    public override Command MakeCommand(TimeSpan now) => new()
    {
        CancelWait = new CancelWait { RequestId = Acquire.Slot!.RequestId, ReleaseIfGranted = ReleaseIfGranted },
    };
}

/// <summary>Done when there is a session; nothing is sent for it.</summary>
internal sealed class OpenSessionOperation : CommandOperation
{
    public override Command MakeCommand(TimeSpan now) => throw new InvalidOperationException("Opening a session is no command in one.");
}

/// <summary>Ends a session that is needed no more; all that it holds ends with it.</summary>
internal sealed class EndSessionOperation : CommandOperation
{
    public override Command MakeCommand(TimeSpan now) => new() { EndSession = new EndSession() };
}
