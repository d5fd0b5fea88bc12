using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// What becomes of a session's holdings against their holders' will. Told by the silo as a list of all that the session
/// holds, from the first grant on and anew on each connection, so that nothing hangs on having heard every word.
/// </summary>
internal sealed partial class ClientMachine
{
    private void Observe(Session session)
    {
        if (session.Observer is not null)
            return;
        session.Observer = new SessionStream(session.Id) { Session = session, Id = ++_lastId };
        Open(session.Observer);
    }

    private void StopObserving(Session session)
    {
        if (session.Observer is not { } observer)
            return;
        session.Observer = null;
        Withdraw(observer);
    }

    private void OnNotices(Session session, Position? position, SessionNotices notices)
    {
        session.Told = (position?.Index ?? 0, notices);
        foreach (Holding holding in session.Holdings.ToArray())
            Compare(holding);
    }

    /// <summary>
    /// With the last list. Also when a holding is new here: the list may have overtaken the grant, and whoever enters
    /// once more finds that the release was asked for before; no other list would come.
    /// </summary>
    private void Compare(Holding holding)
    {
        // Lost with another one of the list, or granted after the list was made.
        if (holding.Node is null || holding.Session.Told is not { } told || holding.Token > told.Index)
            return;
        SessionHolding?[] found = [.. Enumerable.Range(0, holding.Request.Names.Count).Select(part => Find(told.Notices, holding, part))];
        if (found.Contains(null))
            LoseHolding(holding, "The cluster has ended it.", isOverInLog: found.Length == 1);
        // Who has not been handed it yet could not hear of it: he is told then.
        else if (holding is { IsReleaseRequested: false, Unmeasured: null } && Array.Find(found, one => one!.ReleaseRequested) is { } asked)
            AskForRelease(holding, asked.ReleaseReason);
    }

    private void AskForRelease(Holding holding, string reason)
    {
        holding.IsReleaseRequested = true;
        _effects.Add(new ClientEffect.ReleaseRequested(holding, reason));
        Log(new ClientEvent.ReleaseRequested(holding.Name, holding.Token, reason));
    }

    private static SessionHolding? Find(SessionNotices notices, Holding holding, int part)
    {
        ResourceKey key = holding.Request.KeyOf(part);
        // While it is upgraded, the list may be from before or after: the session has but one holding of a lock.
        bool isUpgrading = holding.Lines.Count == 1 && holding.Lines[0].IsUpgrading;
        return notices.Holdings.FirstOrDefault(one => one.Kind == key.Kind && one.Name == key.Name
            && (isUpgrading || one.Token == holding.Token)
            && (!holding.Request.IsCounted || one.RequestId == holding.RequestId));
    }
}
