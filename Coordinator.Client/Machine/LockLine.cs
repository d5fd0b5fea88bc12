namespace Coordinator.Client.Machine;

/// <summary>
/// The client's own line for one name. A session can hold or wait for a name once; so all further callers of this
/// client stand here, first come first served. Invariant: at most one occupant, an acquire or a holding, and waiters
/// only behind one.
/// </summary>
internal sealed class LockLine
{
    /// <summary>The acquire that was passed on to the cluster and whose end is not known.</summary>
    public AcquireOperation? Acquire { get; set; }

    public Holding? Holding { get; set; }

    public LinkedList<AcquireOperation> Waiting { get; } = new();

    public bool IsFree => Acquire is null && Holding is null;
}
