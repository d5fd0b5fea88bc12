using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// A named thing that is held, waited for, or kept from everybody after a holder's death. Invariants, between entries:
/// it is one of the three; holders are compatible (one exclusive, or all shared, or permits within the limit), in the
/// order of their tokens; whoever is first in line cannot be granted.
/// </summary>
/// <remarks>What is none of the three is forgotten; tokens are log indexes, so they go on rising all the same.</remarks>
internal sealed class Resource(HoldingKind kind, string name)
{
    public HoldingKind Kind { get; } = kind;

    public string Name { get; } = name;

    /// <summary>The lowest token first.</summary>
    public LinkedList<ClaimPart> Holders { get; } = new();

    /// <summary>First in line first: an upgrade, then the order of the waiters' entries.</summary>
    public LinkedList<ClaimPart> Queue { get; } = new();

    /// <summary>Of a semaphore: its permits in all, as long as anyone holds or waits; otherwise 0.</summary>
    public int Limit { get; set; }

    public int PermitsHeld { get; set; }

    /// <summary>The highest token ever given while this was remembered.</summary>
    public long LastToken { get; set; }

    /// <summary>Null: a holder's death keeps nobody out.</summary>
    public LockDelay? Delay { get; set; }

    public bool IsIdle => Holders.Count == 0 && Queue.Count == 0;

    public bool IsForgettable => IsIdle && Delay is null;

    /// <summary>Whether the part, if it were first in line, could be granted.</summary>
    public bool HasRoomFor(ClaimPart part)
    {
        if (Delay is not null && SeededBugs.Planted != SeededBug.LockDelayIgnored)
            return false;
        return part.Mode switch
        {
            HoldingMode.Permits => PermitsHeld + part.Permits <= Limit || SeededBugs.Planted == SeededBug.PermitsBeyondLimit,
            HoldingMode.Shared => Holders.First?.Value is not { Mode: HoldingMode.Exclusive },
            _ => Holders.Count == 0
                || (part.Claim.IsUpgrade && Holders.Count == 1 && Holders.First!.Value.Claim.Session == part.Claim.Session),
        };
    }
}

/// <summary>
/// Keeps a resource from everybody for a while after a holder's death, as its protégé may still be at work. Several can
/// begin with one entry and end at one time; which ends first changes nothing.
/// </summary>
internal sealed class LockDelay(Resource resource, long entryIndex) : DueItem(entryIndex)
{
    public Resource Resource { get; } = resource;
}

/// <summary>The order in which resources are served.</summary>
internal sealed class ResourceOrder : IComparer<Resource>
{
    public int Compare(Resource? x, Resource? y)
    {
        int byKind = x!.Kind.CompareTo(y!.Kind);
        return byKind != 0 ? byKind : string.CompareOrdinal(x.Name, y.Name);
    }
}
