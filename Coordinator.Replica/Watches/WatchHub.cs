using Coordinator.Replica.State;

namespace Coordinator.Replica;

/// <summary>
/// The watches that wait at one replica. Nothing is kept for a watcher but the position that its ticket names. Invariant,
/// between turns: a parked watch has been told all that the applied state has for it.
/// </summary>
internal sealed class WatchHub(ReplicaOptions options)
{
    private readonly WatchIndex _index = new();
    private readonly SeededBug _planted = SeededBugs.Planted;

    /// <summary>In the order of their deadlines.</summary>
    private readonly LinkedList<WatchTicket> _parked = new();
    private long _submitted;

    /// <summary>Parked, or in a read round.</summary>
    public int OpenCount { get; private set; }

    /// <summary>False: as many wait as may.</summary>
    public bool TryOpen(WatchTicket ticket)
    {
        if (OpenCount >= options.WatchesMax)
            return false;
        ticket.IsOpen = true;
        OpenCount++;
        return true;
    }

    public void Number(WatchTicket ticket)
    {
        if (ticket.Number != 0)
            throw new InvalidOperationException("A watch ticket asks once.");
        ticket.Number = ++_submitted;
    }

    public void Park(WatchTicket ticket, long nowUs)
    {
        if (ticket.InParked is not null)
            return;
        ticket.DeadlineUs = nowUs + options.WatchProgressUs;
        ticket.InParked = _parked.AddLast(ticket);
        _index.Add(ticket);
    }

    /// <summary>It is answered, or nobody waits for it any more.</summary>
    public void Close(WatchTicket ticket)
    {
        if (ticket.InParked is { } node)
        {
            _parked.Remove(node);
            ticket.InParked = null;
            _index.Remove(ticket);
        }
        if (!ticket.IsOpen)
            return;
        ticket.IsOpen = false;
        OpenCount--;
    }

    /// <summary>Notes whom the entry concerns; they are looked at later, many entries at a time.</summary>
    public void EntryApplied(CoordinationState state, ApplyEffects effects, long revisionBefore)
    {
        if (_parked.Count == 0)
            return;
        if (state.Revision > revisionBefore)
            RevisionsCommitted(state.Config.History, revisionBefore);
        if (_planted != SeededBug.ElectionChangesUntold)
        {
            foreach (ElectionChanged election in effects.ElectionsChanged)
                _index.ElectionChanged(election.Name);
        }
        foreach (HoldingEnded ended in effects.HoldingsEnded)
            _index.SessionChanged(ended.SessionId);
        if (_planted != SeededBug.ReleaseRequestsUntold)
        {
            foreach (ReleaseRequested asked in effects.ReleasesRequested)
                _index.SessionChanged(asked.SessionId);
        }
        foreach (EndedSession session in effects.SessionsEnded)
            _index.SessionChanged(session.SessionId);
    }

    /// <summary>Watches of what has changed, each still parked.</summary>
    public void TakeChanged(List<WatchTicket> tickets) => _index.TakeChanged(tickets);

    public void CopyParked(List<WatchTicket> tickets) => tickets.AddRange(_parked);

    public void CopyOverdue(long nowUs, List<WatchTicket> tickets)
    {
        for (LinkedListNode<WatchTicket>? node = _parked.First; node?.Value.DeadlineUs <= nowUs; node = node.Next)
            tickets.Add(node.Value);
    }

    private void RevisionsCommitted(ConfigHistory history, long revisionBefore)
    {
        // What is compacted as soon as it is made is nowhere to be found: everybody has to look.
        if (history.CompactedRevision > revisionBefore)
        {
            foreach (WatchTicket ticket in _parked)
            {
                if (ticket.Watch.Config is not null)
                    _index.Changed(ticket.Bucket!, revisionBefore + 1);
            }
            return;
        }
        for (int i = history.FirstAbove(revisionBefore); i < history.Count; i++)
            _index.KeyChanged(history[i].Key, history[i].Revision);
    }
}
