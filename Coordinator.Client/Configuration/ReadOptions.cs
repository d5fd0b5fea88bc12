namespace Coordinator.Client;

/// <summary>From where a read is answered.</summary>
public enum ReadConsistency
{
    /// <summary>Reflects every write that was confirmed before the read began. Costs a round to a quorum.</summary>
    Linearizable,

    /// <summary>
    /// What the silo itself knows, perhaps a little old, but never older than what this client has seen before;
    /// answered also without a quorum.
    /// </summary>
    Serializable,
}

/// <summary>What to read, and from where.</summary>
public sealed record ReadOptions
{
    /// <summary>What was then: a revision that is still kept. Null: what is now.</summary>
    public long? Revision { get; init; }

    public ReadConsistency Consistency { get; init; }

    /// <summary>Of listings: leaves the values out.</summary>
    public bool KeysOnly { get; init; }
}
