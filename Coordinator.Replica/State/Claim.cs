namespace Coordinator.Replica.State;

/// <summary>
/// One acquire of one session: first it waits in its resource's queue, then it is the holding. Its id is the index of
/// the acquire's entry. Invariant: it is in its session's waits and its resource's queue, or in the session's holdings
/// and the resource's holder; <see cref="DueItem.DueUs"/> is the end of a bounded wait.
/// </summary>
internal sealed class Claim : DueItem
{
    // Most locks are free when they are asked for: no node for a queue never stood in.
    private LinkedListNode<Claim>? _inQueue;

    public Claim(long entryIndex, Session session, LockResource resource, long requestId, string label)
        : base(entryIndex)
    {
        Session = session;
        Resource = resource;
        RequestId = requestId;
        Label = label;
        InSession = new LinkedListNode<Claim>(this);
    }

    public Session Session { get; }

    public LockResource Resource { get; }

    /// <summary>0: the acquire had none.</summary>
    public long RequestId { get; }

    public string Label { get; }

    /// <summary>Log time when it was queued; once granted, when it was granted.</summary>
    public long SinceUs { get; set; }

    /// <summary>The index of the entry that granted it; 0: it waits.</summary>
    public long Token { get; set; }

    /// <summary>The lowest token held on the resource when this was granted (rule 18).</summary>
    public long Floor { get; set; }

    public bool IsHolding => Token != 0;

    /// <summary>Its place in the session's waits, then holdings.</summary>
    public LinkedListNode<Claim> InSession { get; }

    /// <summary>Its place in the resource's queue, while it waits.</summary>
    public LinkedListNode<Claim> InQueue => _inQueue ??= new LinkedListNode<Claim>(this);
}
