namespace Coordinator.Replica.State;

/// <summary>
/// A client's lease on life. Its id is the index of the entry that created it; <see cref="DueItem.DueUs"/> is its
/// deadline, which only moves away. All that it holds and waits for ends with it.
/// </summary>
internal sealed class Session(long id) : DueItem(id)
{
    public required long TtlUs { get; init; }

    /// <summary>Repeats of its creation are known by this; null: it had none.</summary>
    public required UInt128? Nonce { get; init; }

    public required string Metadata { get; init; }

    public required string Caller { get; init; }

    public required long CreatedUs { get; init; }

    /// <summary>
    /// The index of the latest entry in which one of its holdings ended against its will, or its release was asked for;
    /// its own id: there was none.
    /// </summary>
    public long NoticeIndex { get; set; } = id;

    public RequestTable Requests { get; } = new();

    /// <summary>In the order of their entries.</summary>
    public LinkedList<Claim> Waits { get; } = new();

    /// <summary>In no order that anything may depend on: a snapshot does not keep it.</summary>
    public LinkedList<Claim> Holdings { get; } = new();

    /// <summary>Resources that it holds and waits for; one that it has several times counts as often.</summary>
    public int ResourceCount { get; set; }

    public Claim? FindClaimByRequest(long requestId) =>
        Find(Waits, requestId, byRequest: true) ?? Find(Holdings, requestId, byRequest: true);

    public Claim? FindClaimByEntry(long entryIndex) =>
        Find(Waits, entryIndex, byRequest: false) ?? Find(Holdings, entryIndex, byRequest: false);

    /// <summary>The holding that the request has entered again.</summary>
    public ClaimPart? FindReentry(long requestId)
    {
        for (LinkedListNode<Claim>? node = Holdings.First; node is not null; node = node.Next)
        {
            foreach (ClaimPart part in node.Value.Parts)
            {
                if (part.Reentries?.Contains(requestId) == true)
                    return part;
            }
        }
        return null;
    }

    public bool WaitsFor(Resource resource)
    {
        for (LinkedListNode<Claim>? node = Waits.First; node is not null; node = node.Next)
        {
            foreach (ClaimPart part in node.Value.Parts)
            {
                if (ReferenceEquals(part.Resource, resource))
                    return true;
            }
        }
        return false;
    }

    /// <summary>Its first holding of the resource, in the order of acquires; null: it holds none.</summary>
    public ClaimPart? FirstHoldingOf(Resource resource)
    {
        // Either list may be the long one.
        ClaimPart? first = null;
        if (resource.Holders.Count <= Holdings.Count)
        {
            for (LinkedListNode<ClaimPart>? node = resource.Holders.First; node is not null; node = node.Next)
            {
                if (ReferenceEquals(node.Value.Claim.Session, this))
                    first = Earlier(first, node.Value);
            }
            return first;
        }
        for (LinkedListNode<Claim>? node = Holdings.First; node is not null; node = node.Next)
        {
            foreach (ClaimPart part in node.Value.Parts)
            {
                if (ReferenceEquals(part.Resource, resource))
                    first = Earlier(first, part);
            }
        }
        return first;
    }

    private static ClaimPart Earlier(ClaimPart? x, ClaimPart y) => x is null || y.Claim.Id < x.Claim.Id ? y : x;

    private static Claim? Find(LinkedList<Claim> claims, long id, bool byRequest)
    {
        for (LinkedListNode<Claim>? node = claims.First; node is not null; node = node.Next)
        {
            if ((byRequest ? node.Value.RequestId : node.Value.Id) == id)
                return node.Value;
        }
        return null;
    }
}
