namespace Coordinator.Replica.State;

/// <summary>
/// One acquire: first it waits in the queue of each of its resources, then it holds what is left of them. Its id is the
/// index of the acquire's entry. Invariants: it stands in all queues or in none (rule 20); it is in its session's waits
/// or in its session's holdings. <see cref="DueItem.DueUs"/> is the end of a bounded wait, then of a maximum hold or of
/// a lease.
/// </summary>
internal sealed class Claim : DueItem
{
    public Claim(long entryIndex, Session? session)
        : base(entryIndex)
    {
        Session = session;
        InSession = new LinkedListNode<Claim>(this);
    }

    /// <summary>Null: a lease.</summary>
    public Session? Session { get; }

    /// <summary>Null: a session's.</summary>
    public LeaseTerms? Lease { get; init; }

    /// <summary>0: the acquire had none.</summary>
    public long RequestId { get; init; }

    /// <summary>The holder's own words; of a lease, its owner.</summary>
    public string Label { get; init; } = "";

    public string TraceId { get; init; } = "";

    /// <summary>Of an election: what the leader publishes.</summary>
    public string Value { get; set; } = "";

    /// <summary>0: it may be held for ever.</summary>
    public long MaxHoldUs { get; init; }

    /// <summary>For how long its resources are kept from everybody if its holder dies.</summary>
    public long LockDelayUs { get; init; }

    /// <summary>Its session holds the lock shared, until this is granted.</summary>
    public bool IsUpgrade { get; init; }

    /// <summary>The token of the shared holding that it replaced; 0: it replaced none.</summary>
    public long UpgradedFrom { get; set; }

    /// <summary>Its session's other work does not wait for it: no part of a deadlock.</summary>
    public bool IsConcurrent { get; init; }

    /// <summary>In the order of the request; once granted, those that are still held.</summary>
    public List<ClaimPart> Parts { get; } = new(1);

    /// <summary>Log time when it was queued; once granted, when it was granted.</summary>
    public long SinceUs { get; set; }

    /// <summary>The index of the entry that granted it; 0: it waits.</summary>
    public long Token { get; set; }

    public bool IsHolding => Token != 0;

    /// <summary>Whether it is meant by a token; 0 means any. Whoever never heard of an upgrade knows the token before.</summary>
    public bool IsKnownBy(long token) => token == 0 || token == Token || (UpgradedFrom != 0 && token == UpgradedFrom);

    /// <summary>Its place in the session's waits, then holdings.</summary>
    public LinkedListNode<Claim> InSession { get; }
}

/// <param name="Nonce">Repeats of its acquire are known by this; null: it had none.</param>
internal sealed record LeaseTerms(long TtlUs, UInt128? Nonce);
