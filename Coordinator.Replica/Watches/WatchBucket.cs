namespace Coordinator.Replica;

/// <summary>The parked watches of one thing, and whether it has changed since they were last looked at.</summary>
internal sealed class WatchBucket
{
    public LinkedList<WatchTicket> Tickets { get; } = new();

    public bool IsChanged { get; set; }

    /// <summary>Of configuration: the first revision that changed it since then.</summary>
    public long ChangedIn { get; set; }
}
