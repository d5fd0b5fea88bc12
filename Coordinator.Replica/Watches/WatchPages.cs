using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

/// <summary>Makes the next page of a watch from one state, without its position. Null: there is nothing to tell.</summary>
internal static class WatchPages
{
    public static WatchPage? Next(CoordinationState state, WatchTicket ticket, int bytesMax)
    {
        Watch watch = ticket.Watch;
        return watch.WatchCase switch
        {
            Watch.WatchOneofCase.Config => Events(state, watch.Config, ticket.NextRevision, bytesMax),
            Watch.WatchOneofCase.Election => Leader(state, watch.Election),
            Watch.WatchOneofCase.Session => Notices(state, watch.Session),
            _ => throw new InvalidOperationException($"{watch.WatchCase} passed the rules but is no watch."),
        };
    }

    /// <summary>All up to the present revision has been told.</summary>
    public static WatchPage Progress(CoordinationState state, WatchTicket ticket) =>
        new() { NextRevision = ticket.Watch.Config is null ? 0 : state.Revision + Ahead };

    private static int Ahead => SeededBugs.Planted == SeededBug.ProgressMarkAhead ? 2 : 1;

    private static WatchPage? Events(CoordinationState state, WatchConfig watch, long fromRevision, int bytesMax)
    {
        if (fromRevision == 0)
            return new WatchPage { NextRevision = state.Revision + 1 };
        if (SeededBugs.Planted == SeededBug.RevisionToldTwice && fromRevision > state.Config.History.CompactedRevision + 1)
            fromRevision--;
        ConfigEventPage read = state.ReadEvents(watch.Key, watch.IsPrefix, fromRevision, bytesMax, watch.WithPrevious);
        if (read.Error != ErrorCode.Ok)
        {
            return new WatchPage
            {
                Error = read.Error,
                Message = ErrorText.Of(read.Error),
                NextRevision = fromRevision,
                CompactedRevision = read.Error == ErrorCode.Compacted ? state.Config.History.CompactedRevision : 0,
            };
        }
        // A page that ended early without an event has looked at as many changes as one may: its watcher asks again.
        if (read.Revisions.Count == 0 && read.NextRevision > state.Revision)
            return null;
        var page = new WatchPage { NextRevision = read.NextRevision };
        foreach (RevisionEvents revision in read.Revisions)
        {
            foreach (State.ConfigEvent change in revision.Events)
                page.Events.Add(Describe(change, revision.Revision));
        }
        return page;
    }

    private static Contracts.ConfigEvent Describe(State.ConfigEvent change, long revision) => new()
    {
        Entry = change.Current is { } current
            ? ConfigQueries.Describe(change.Key, current, keysOnly: false)
            : new ConfigEntry { Key = change.Key, ModifyRevision = revision },
        Previous = change.Previous is { } previous ? ConfigQueries.Describe(change.Key, previous, keysOnly: false) : null,
    };

    private static WatchPage? Leader(CoordinationState state, ObserveElection observe)
    {
        var now = new ElectionState();
        if (state.Holdings.Find(HoldingKind.Election, observe.Name) is { } election)
        {
            ElectionChanged leader = HoldingTable.Describe(election);
            now = new ElectionState { Token = leader.Token, SessionId = leader.LeaderSessionId, Value = leader.Value };
        }
        return now.Equals(observe.Seen) ? null : new WatchPage { Election = now };
    }

    private static WatchPage? Notices(CoordinationState state, ObserveSession observe)
    {
        if (state.Sessions.Find(observe.SessionId) is not { } session)
            return new WatchPage { Error = ErrorCode.SessionNotFound, Message = ErrorText.Of(ErrorCode.SessionNotFound) };
        if (session.NoticeIndex <= observe.SeenNotice)
            return null;
        var notices = new SessionNotices { SessionId = session.Id, Notice = session.NoticeIndex };
        // The list's own order is not part of the state: a replica that began with a snapshot has another.
        foreach (Claim claim in session.Holdings.OrderBy(claim => claim.Id))
            notices.Holdings.AddRange(claim.Parts.Select(Describe));
        return new WatchPage { Session = notices };
    }

    private static SessionHolding Describe(ClaimPart part) => new()
    {
        Kind = part.Resource.Kind,
        Name = part.Resource.Name,
        Token = part.Claim.Token,
        EntryIndex = part.Claim.Id,
        RequestId = part.Claim.RequestId,
        ReleaseRequested = part.Asked is not null,
        ReleaseReason = part.Asked?.Reason ?? "",
    };
}
