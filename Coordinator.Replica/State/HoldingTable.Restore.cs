namespace Coordinator.Replica.State;

/// <summary>From a snapshot: resources, then claims in the order of their entries.</summary>
internal sealed partial class HoldingTable
{
    /// <summary>All claims, in the order of their entries.</summary>
    public List<Claim> Claims()
    {
        var claims = new List<Claim>();
        foreach (SortedBlocks<string, Resource, OrdinalOrder> resources in _byKind)
        {
            foreach (Resource resource in resources.All())
            {
                AddFirstParts(resource.Holders, claims);
                AddFirstParts(resource.Queue, claims);
            }
        }
        claims.Sort((x, y) => x.Id.CompareTo(y.Id));
        return claims;
    }

    public void Restore(Resource resource, long delayUntilUs)
    {
        Of(resource.Kind).Add(resource.Name, resource);
        // Its entry's index only parts it from others that end at the same time, which changes nothing.
        if (delayUntilUs != 0)
            Delay(resource, delayUntilUs, entryIndex: 0);
    }

    public void RestoreWait(Claim claim) => Enqueue(claim);

    /// <summary>Holders come in the order of their tokens, those of one token in the order of their entries.</summary>
    public void RestoreHolding(Claim claim)
    {
        if (claim.Lease is not null)
            Remember(claim);
        Hold(claim);
        _electionsChanged.Clear();
    }

    /// <summary>Whether somebody is first in line who could have been granted: no entry leaves that behind.</summary>
    public bool HasOverlooked(Resource resource) =>
        resource.Queue.First is { } first && CanBeGranted(first.Value.Claim);

    private static void AddFirstParts(LinkedList<ClaimPart> parts, List<Claim> claims)
    {
        for (LinkedListNode<ClaimPart>? node = parts.First; node is not null; node = node.Next)
        {
            if (ReferenceEquals(node.Value.Claim.Parts[0], node.Value))
                claims.Add(node.Value.Claim);
        }
    }
}
