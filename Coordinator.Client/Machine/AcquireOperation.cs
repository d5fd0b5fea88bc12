using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// A request for a holding. Invariant: once sent it ends only with the log's word (granted, not acquired, cancelled) or
/// with its session; that nobody waits for it any more doesn't end it (rule 16).
/// </summary>
internal sealed class AcquireOperation(AcquireRequest request, TimeSpan wait) : CommandOperation
{
    /// <summary>Of an exclusive lock.</summary>
    public AcquireOperation(string name, TimeSpan wait) : this(new AcquireRequest { Names = [name] }, wait)
    {
    }

    /// <summary>Of the exclusive lock in the place of the shared one.</summary>
    public AcquireOperation(Holding upgrades, TimeSpan wait) : this(upgrades.Request, wait) => Upgrades = upgrades;

    public AcquireRequest Request { get; } = request;

    /// <summary>The shared holding that is to become exclusive; its session is this one's.</summary>
    public Holding? Upgrades { get; }

    /// <summary>Zero: a try. <see cref="Timeout.InfiniteTimeSpan"/>: unbounded.</summary>
    public TimeSpan Wait { get; } = wait;

    public bool IsTry => Wait == TimeSpan.Zero;

    public bool IsBounded => Wait != Timeout.InfiniteTimeSpan;

    /// <summary>End of a bounded wait.</summary>
    public TimeSpan WaitEnd { get; set; } = TimeSpan.MaxValue;

    /// <summary>When the client ends the wait itself, because the silo, which should have, was not heard.</summary>
    public TimeSpan CancelAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>The client's own lines for what it wants; none for what a session may hold many times.</summary>
    public IReadOnlyList<LockLine> Lines { get; set; } = [];

    /// <summary>Its place in each line, behind others of this client.</summary>
    public List<LinkedListNode<AcquireOperation>> Places { get; } = [];

    public bool IsInLine => Places.Count > 0;

    /// <summary>The session's holding when this was passed on, which it may turn out to have entered once more.</summary>
    public Holding? Joins { get; set; }

    public CancelOperation? Cancel { get; set; }

    /// <summary>The log's word is known.</summary>
    public bool IsResolved { get; set; }

    /// <summary>Granted while a cancel that releases was on its way: that cancel's answer decides.</summary>
    public CommandResult? Unclaimed { get; set; }

    /// <summary>Granted, and handed out once it is known how much is left of its maximum hold.</summary>
    public Holding? Unmeasured { get; set; }

    public override bool IsAnsweredSoon => IsTry;

    public override TimeSpan NextDue
    {
        get
        {
            if (IsInLine)
                return WaitEnd;
            TimeSpan due = base.NextDue;
            return Caller is not null && Cancel is null && CancelAt < due ? CancelAt : due;
        }
    }

    public override Command MakeCommand(TimeSpan now)
    {
        TimeSpan remaining = WaitEnd - now;
        // What is left of a bounded wait may be nothing: then one try is still owed.
        long waitMicroseconds = !IsBounded ? -1 : IsTry || remaining <= TimeSpan.Zero ? 0 : Microseconds(remaining);
        return new Command { AcquireLock = Request.ToAcquireLock(waitMicroseconds, Upgrades is not null) };
    }

    // Rounded up: a wait of less than a microsecond is still a wait, not a try.
    private static long Microseconds(TimeSpan time) =>
        (time.Ticks + TimeSpan.TicksPerMicrosecond - 1) / TimeSpan.TicksPerMicrosecond;
}
