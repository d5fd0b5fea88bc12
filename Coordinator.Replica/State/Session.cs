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

    public RequestTable Requests { get; } = new();

    /// <summary>In the order of their entries.</summary>
    public LinkedList<Claim> Waits { get; } = new();

    /// <summary>In no order that anything may depend on: a snapshot does not keep it.</summary>
    public LinkedList<Claim> Holdings { get; } = new();

    public int ClaimCount => Waits.Count + Holdings.Count;

    public Claim? FindClaimByRequest(long requestId)
    {
        for (LinkedListNode<Claim>? node = Waits.First; node is not null; node = node.Next)
        {
            if (node.Value.RequestId == requestId)
                return node.Value;
        }
        for (LinkedListNode<Claim>? node = Holdings.First; node is not null; node = node.Next)
        {
            if (node.Value.RequestId == requestId)
                return node.Value;
        }
        return null;
    }

    public Claim? FindClaimByEntry(long entryIndex)
    {
        for (LinkedListNode<Claim>? node = Waits.First; node is not null; node = node.Next)
        {
            if (node.Value.Id == entryIndex)
                return node.Value;
        }
        for (LinkedListNode<Claim>? node = Holdings.First; node is not null; node = node.Next)
        {
            if (node.Value.Id == entryIndex)
                return node.Value;
        }
        return null;
    }

    public bool WaitsFor(LockResource resource)
    {
        for (LinkedListNode<Claim>? node = Waits.First; node is not null; node = node.Next)
        {
            if (ReferenceEquals(node.Value.Resource, resource))
                return true;
        }
        return false;
    }
}
