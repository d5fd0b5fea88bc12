namespace Coordinator.Replica.State;

internal enum HoldingMode : byte
{
    Exclusive,
    Shared,
    Permits,
}

/// <summary>What a claim is to one resource: a place in its queue, then a holding.</summary>
internal sealed class ClaimPart
{
    public ClaimPart(Claim claim, Resource resource, HoldingMode mode, int permits = 0)
    {
        Claim = claim;
        Resource = resource;
        Mode = mode;
        Permits = permits;
        Place = new LinkedListNode<ClaimPart>(this);
    }

    public Claim Claim { get; }

    public Resource Resource { get; }

    public HoldingMode Mode { get; set; }

    /// <summary>Of a semaphore; otherwise 0.</summary>
    public int Permits { get; }

    /// <summary>The lowest token held on the resource when this was granted (rule 18).</summary>
    public long Floor { get; set; }

    /// <summary>The requests by which the session entered this holding again; null: none.</summary>
    public List<long>? Reentries { get; set; }

    /// <summary>How often the session holds it.</summary>
    public int Holds => 1 + (Reentries?.Count ?? 0);

    /// <summary>Somebody has asked the holder to let go.</summary>
    public AskedToRelease? Asked { get; set; }

    /// <summary>In the resource's queue, then among its holders.</summary>
    public LinkedListNode<ClaimPart> Place { get; }
}

internal sealed record AskedToRelease(string Reason, long SinceUs);
