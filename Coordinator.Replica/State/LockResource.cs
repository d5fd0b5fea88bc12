namespace Coordinator.Replica.State;

/// <summary>
/// One lock that somebody holds. Invariant, between entries: there is a holder. What nobody holds or waits for is
/// forgotten; tokens are log indexes, so they go on rising all the same.
/// </summary>
internal sealed class LockResource(string name)
{
    public string Name { get; } = name;

    public Claim? Holder { get; set; }

    /// <summary>First in line first; the order of the waiters' entries (strict first-in first-out by the log).</summary>
    public LinkedList<Claim>? Queue { get; set; }

    public int WaiterCount => Queue?.Count ?? 0;

    public bool IsFree => Holder is null && WaiterCount == 0;

    /// <summary>The highest token ever given while this was remembered.</summary>
    public long LastToken { get; set; }

    /// <summary>Its queue is to be served when the entry has been applied.</summary>
    public bool IsTouched { get; set; }
}
