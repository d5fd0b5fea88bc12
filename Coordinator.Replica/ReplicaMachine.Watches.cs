using Coordinator.Contracts;

namespace Coordinator.Replica;

public sealed partial class ReplicaMachine
{
    private readonly List<WatchTicket> _takenWatches = [];

    /// <summary>
    /// Pages of what was changed by the entries of this turn, for all who watch it alike from the same revision on: of
    /// 100,000 watchers of one key the first reads it.
    /// </summary>
    private readonly Dictionary<(string, bool, long, bool), WatchPage> _sharedPages = [];

    /// <summary>
    /// Asks for the next page of a watch. Answered at once if there is something to tell, otherwise when there is, or with
    /// a progress mark after a while.
    /// </summary>
    public void Submit(WatchTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        Touch();
        _watches.Number(ticket);
        if (WatchRules.Check(ticket.Watch) is { } refusal)
            End(ticket, refusal.Code, refusal.Message);
        else if (Service != ServiceState.Running)
            Refuse(ticket, CodeOfHalted());
        else if (!NeedsRound(ticket.Watch))
            Judge(ticket);
        else if (_raft.Leader.IsNone)
            Refuse(ticket, ErrorCode.NotLeader);
        else if (TryOpen(ticket))
            _reads.Add(ticket);
    }

    /// <summary>Nobody waits for this ticket any more: it will not be answered.</summary>
    public void Forget(WatchTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        ticket.IsSettled = true;
        _watches.Close(ticket);
    }

    /// <summary>
    /// What the own state cannot decide: what "now" is (rule 22), and whatever lies ahead of this replica. A token, a
    /// session id and a notice are log indexes, so they too say how far the caller has seen.
    /// </summary>
    private bool NeedsRound(Watch watch)
    {
        if (_planted == SeededBug.ObservesOwnState && watch.WatchCase == Watch.WatchOneofCase.Election)
            return false;
        if (watch.SeenIndex > _state.AppliedIndex)
            return true;
        return watch.WatchCase switch
        {
            Watch.WatchOneofCase.Config => (watch.Config.FromRevision == 0 && _planted != SeededBug.WatchesFromOwnNow)
                || watch.Config.FromRevision > _state.Revision + 1,
            Watch.WatchOneofCase.Election => watch.Election.Seen is null || watch.Election.Seen.Token > _state.AppliedIndex,
            _ => watch.Session.SeenNotice == 0
                || Math.Max(watch.Session.SessionId, watch.Session.SeenNotice) > _state.AppliedIndex,
        };
    }

    private void ServeAfterRound(WatchTicket ticket)
    {
        // It may have been forgotten meanwhile.
        if (!ticket.IsSettled)
            Judge(ticket);
    }

    /// <summary>The ticket is answered from the own state, or parked.</summary>
    private void Judge(WatchTicket ticket)
    {
        if (WatchPages.Next(_state, ticket, _options.WatchPageBytes) is { } page)
            Answer(ticket, page);
        else if (ticket.IsOpen || TryOpen(ticket))
            _watches.Park(ticket, _nowUs);
    }

    private bool TryOpen(WatchTicket ticket)
    {
        ticket.DeadlineUs = _nowUs + _options.QueryTimeoutUs;
        if (_watches.TryOpen(ticket))
            return true;
        Refuse(ticket, ErrorCode.TooManyWatches);
        return false;
    }

    /// <summary>Tells those whose keys, elections or sessions were changed by what has been applied.</summary>
    private void ServeWatches()
    {
        _watches.TakeChanged(_takenWatches);
        foreach (WatchTicket ticket in _takenWatches)
            Serve(ticket);
        _takenWatches.Clear();
        _sharedPages.Clear();
    }

    private void Serve(WatchTicket ticket)
    {
        if (ticket.Watch.Config is not { } config)
        {
            Judge(ticket);
            return;
        }
        var asked = (config.Key, config.IsPrefix, ticket.NextRevision, config.WithPrevious);
        if (_sharedPages.TryGetValue(asked, out WatchPage? shared))
        {
            End(ticket, shared);
        }
        else if (WatchPages.Next(_state, ticket, _options.WatchPageBytes) is { } page)
        {
            _sharedPages.Add(asked, page);
            Answer(ticket, page);
        }
    }

    /// <summary>
    /// A snapshot has taken the place of the state. What it has in its history is told from there, from the position of
    /// each watcher on, and what it has not is compacted (rule 22).
    /// </summary>
    /// <param name="revisionBefore">All parked watches had been told everything up to it.</param>
    private void JudgeParkedAgain(long revisionBefore)
    {
        if (_planted == SeededBug.WatchesMissInstall)
            return;
        _watches.CopyParked(_takenWatches);
        foreach (WatchTicket ticket in _takenWatches)
        {
            ticket.NextRevision = Math.Max(ticket.NextRevision, revisionBefore + 1);
            Judge(ticket);
        }
        _takenWatches.Clear();
    }

    private void TellProgress()
    {
        _watches.CopyOverdue(_nowUs, _takenWatches);
        foreach (WatchTicket ticket in _takenWatches)
        {
            // Here nothing happens because nothing is heard: another replica may know more.
            if (_raft.Leader.IsNone)
                Refuse(ticket, ErrorCode.NotLeader);
            else
                Answer(ticket, WatchPages.Progress(_state, ticket));
        }
        _takenWatches.Clear();
    }

    private void RefuseParkedWatches()
    {
        _watches.CopyParked(_takenWatches);
        _takenWatches.ForEach(ticket => Refuse(ticket, CodeOfHalted()));
        _takenWatches.Clear();
    }

    private ErrorCode CodeOfHalted() => Service switch
    {
        ServiceState.Stopped => ErrorCode.Stopping,
        ServiceState.Quarantined => ErrorCode.Quarantined,
        _ => ErrorCode.NotLeader,
    };

    private void Answer(WatchTicket ticket, WatchPage page)
    {
        page.Position = GetPosition();
        End(ticket, page);
    }

    private void End(WatchTicket ticket, ErrorCode code, string message) =>
        Answer(ticket, new WatchPage { Error = code, Message = message });

    private void End(WatchTicket ticket, WatchPage page)
    {
        if (ticket.IsSettled)
            return;
        ticket.IsSettled = true;
        _watches.Close(ticket);
        // The watcher asks for the next page at once.
        _busyUs = _nowUs;
        _effects.WatchesAnswered.Add((ticket, page));
    }

    private void TellWatches()
    {
        TellProgress();
        _effects.WatchesAnswered.Sort((x, y) => x.Ticket.Number.CompareTo(y.Ticket.Number));
    }
}
