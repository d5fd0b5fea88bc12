using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// A request for a lock. Invariant: once sent it ends only with the log's word (granted, not acquired, cancelled) or
/// with its session; that nobody waits for it any more doesn't end it (rule 16).
/// </summary>
internal sealed class AcquireOperation(string name, TimeSpan wait) : CommandOperation
{
    public string Name { get; } = name;

    /// <summary>Zero: a try. <see cref="Timeout.InfiniteTimeSpan"/>: unbounded.</summary>
    public TimeSpan Wait { get; } = wait;

    public bool IsTry => Wait == TimeSpan.Zero;

    public bool IsBounded => Wait != Timeout.InfiniteTimeSpan;

    /// <summary>End of a bounded wait.</summary>
    public TimeSpan WaitEnd { get; set; } = TimeSpan.MaxValue;

    /// <summary>When the client ends the wait itself, because the silo, which should have, was not heard.</summary>
    public TimeSpan CancelAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>Its place behind another acquire or holding of this client on the same name.</summary>
    public LinkedListNode<AcquireOperation>? InLine { get; set; }

    public CancelOperation? Cancel { get; set; }

    /// <summary>The log's word is known.</summary>
    public bool IsResolved { get; set; }

    /// <summary>Granted while a cancel that releases was on its way: that cancel's answer decides.</summary>
    public long UnclaimedToken { get; set; }

    public override bool IsAnsweredSoon => IsTry;

    public override TimeSpan NextDue
    {
        get
        {
            if (InLine is not null)
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
        // One session serves all of the program's tasks: while one waits, another may release what it waits for.
        return new Command { AcquireLock = new AcquireLock { Name = Name, WaitUs = waitMicroseconds, Concurrent = true } };
    }

    // Rounded up: a wait of less than a microsecond is still a wait, not a try.
    private static long Microseconds(TimeSpan time) =>
        (time.Ticks + TimeSpan.TicksPerMicrosecond - 1) / TimeSpan.TicksPerMicrosecond;
}
