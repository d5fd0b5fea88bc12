using Coordinator.Contracts;

namespace Coordinator.Replica;

/// <summary>
/// Asks for the one next page of a watch, from where its watcher stands. Completed once, through
/// <see cref="ReplicaEffects.WatchesAnswered"/>, unless it is forgotten before.
/// </summary>
public class WatchTicket(Watch watch) : ReadTicket
{
    /// <summary>Nothing may change it while the ticket is open.</summary>
    public Watch Watch { get; } = watch;

    /// <summary>In the order of submission; 0: not submitted yet.</summary>
    internal long Number { get; set; }

    /// <summary>It waits for a read round, or is parked.</summary>
    internal bool IsOpen { get; set; }

    /// <summary>It has been answered, or forgotten.</summary>
    internal bool IsSettled { get; set; }

    /// <summary>Of configuration: all events below it have been told, or were not asked for.</summary>
    internal long NextRevision { get; set; } = watch.Config?.FromRevision ?? 0;

    /// <summary>Null: it is not parked.</summary>
    internal WatchBucket? Bucket { get; set; }

    internal LinkedListNode<WatchTicket>? InBucket { get; set; }

    internal LinkedListNode<WatchTicket>? InParked { get; set; }
}
