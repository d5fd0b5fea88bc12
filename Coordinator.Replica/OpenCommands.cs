using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// The tickets of commands that this replica appended as leader, by log position, and of waits by the index of their
/// acquire. Invariant: a ticket matches an applied entry only if index and term are those it was appended with; with
/// another term at its index it has certainly not happened. So tickets outlive a loss of leadership.
/// </summary>
internal sealed class OpenCommands
{
    private readonly Queue<CommandTicket> _appended = new();
    private readonly SeededBug _planted = SeededBugs.Planted;
    private readonly Dictionary<long, List<CommandTicket>> _waits = [];

    public int Count => _appended.Count;

    public bool IsEmpty => _appended.Count == 0 && _waits.Count == 0;

    public void Appended(CommandTicket ticket, long index, Term term)
    {
        ticket.EntryIndex = index;
        ticket.EntryTerm = term;
        _appended.Enqueue(ticket);
    }

    /// <summary>The ticket of the entry about to be applied, or null. Tickets that lost their place go to
    /// <paramref name="lost"/>.</summary>
    public CommandTicket? Match(long index, Term term, List<CommandTicket> lost)
    {
        while (_appended.TryPeek(out CommandTicket? head) && head.EntryIndex <= index)
        {
            _appended.Dequeue();
            bool isTerm = head.EntryTerm == term || _planted == SeededBug.TicketsMatchedByIndexAlone;
            if (head.EntryIndex == index && isTerm)
                return head.IsCompleted ? null : head;
            if (!head.IsCompleted)
                lost.Add(head);
        }
        return null;
    }

    /// <summary>
    /// A new leader gives up what its log lacks, and so keeps the queue in log order. Given up, not decided: a peer that
    /// has the entry may win the next election and commit it, until an entry of this term is committed (Raft §5.4.2).
    /// </summary>
    public void DropNotIn(Func<long, Term, bool> logHolds, List<CommandTicket> lost)
    {
        int count = _appended.Count;
        for (int i = 0; i < count; i++)
        {
            CommandTicket ticket = _appended.Dequeue();
            if (logHolds(ticket.EntryIndex, ticket.EntryTerm))
                _appended.Enqueue(ticket);
            else if (!ticket.IsCompleted)
                lost.Add(ticket);
        }
    }

    public void TakeOverdue(long nowUs, List<CommandTicket> overdue)
    {
        while (_appended.TryPeek(out CommandTicket? head) && (head.IsCompleted || head.DeadlineUs <= nowUs))
        {
            // It keeps its place for the order's sake unless it is the first, which it is.
            _appended.Dequeue();
            if (!head.IsCompleted)
                overdue.Add(head);
        }
    }

    public void TakeAppended(List<CommandTicket> tickets)
    {
        while (_appended.TryDequeue(out CommandTicket? ticket))
        {
            if (!ticket.IsCompleted)
                tickets.Add(ticket);
        }
    }

    public void Wait(CommandTicket ticket, long waitIndex)
    {
        ticket.WaitIndex = waitIndex;
        if (!_waits.TryGetValue(waitIndex, out List<CommandTicket>? tickets))
            _waits.Add(waitIndex, tickets = []);
        tickets.Add(ticket);
    }

    public List<CommandTicket>? WaitEnded(long waitIndex) =>
        _waits.Remove(waitIndex, out List<CommandTicket>? tickets) ? tickets : null;

    /// <summary>Nobody waits for this ticket any more; what it asked for stands.</summary>
    public void Forget(CommandTicket ticket)
    {
        ticket.IsCompleted = true;
        if (ticket.WaitIndex != 0 && _waits.TryGetValue(ticket.WaitIndex, out List<CommandTicket>? tickets)
            && tickets.Remove(ticket) && tickets.Count == 0)
            _waits.Remove(ticket.WaitIndex);
    }

    public void TakeWaits(List<CommandTicket> tickets)
    {
        // In the order of the log, never of the hash.
        foreach (long index in _waits.Keys.Order().ToList())
            tickets.AddRange(_waits[index]);
        _waits.Clear();
    }
}
