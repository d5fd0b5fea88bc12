namespace Coordinator.Client.Machine;

/// <summary>
/// The client's own line for one resource. A session can hold or wait for it once; so further callers of this client
/// stand here, first come first served, but for those who may enter what the session holds already. Invariant: more than
/// one occupant only of such; waiters only behind an occupant, of this line or of another that they also need.
/// </summary>
internal sealed class LockLine(ResourceKey key)
{
    public ResourceKey Key { get; } = key;

    /// <summary>The acquires that were passed on to the cluster and whose end is not known.</summary>
    public List<AcquireOperation> Acquires { get; } = [];

    public List<Holding> Holdings { get; } = [];

    public LinkedList<AcquireOperation> Waiting { get; } = new();

    public bool IsIdle => Acquires.Count == 0 && Holdings.Count == 0 && Waiting.Count == 0;

    public bool IsUpgrading =>
        Waiting.First is { Value.Upgrades: not null } || Acquires.Exists(acquire => acquire.Upgrades is not null);

    private bool IsHeldShared => Holdings.TrueForAll(holding => holding.IsShared);

    /// <summary>Whether <paramref name="acquire"/> may go to the cluster now, apart from who else waits.</summary>
    public bool Admits(AcquireOperation acquire)
    {
        // The other readers' holding would become exclusive with it: it goes once they have left.
        if (acquire.Upgrades is not null)
            return Acquires.Count == 0 && Holdings.Count == 1;
        if (Holdings.Count == 0)
            return Acquires.Count == 0;
        if (Acquires.Exists(other => other.Upgrades is not null))
            return false;
        return IsHeldShared ? acquire.Request.IsShared : acquire.Request.IsReentrant;
    }

    /// <summary>
    /// Whether those who wait are no hindrance. Who enters again may be what the others wait for, and an upgrade goes
    /// first, as in the cluster's line.
    /// </summary>
    public bool LetsPass(AcquireOperation acquire) => Waiting.Count == 0
        || acquire.Upgrades is not null
        || (acquire.Request.IsReentrant && Holdings.Count > 0);
}
