using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>
/// Watches only what clients would see, and knows only what they were promised: mutual exclusion, rising tokens, first
/// come first served, nothing for the dead, nothing executed twice, nothing granted after Cancelled.
/// </summary>
internal sealed class Witness
{
    private readonly HashSet<long> _alive = [];
    private readonly Dictionary<string, (long Session, long Token)> _holders = [];
    private readonly Dictionary<string, long> _lastTokens = [];
    private readonly SortedDictionary<long, (string Name, long Session)> _waiting = [];
    private readonly HashSet<(long Session, long Request)> _cancelled = [];
    private readonly HashSet<(long Session, long Request)> _changed = [];
    private long _revision;
    private int _endedSince;

    public int Grants { get; private set; }

    public void See(long index, Command command, ApplyResult applied, ApplyEffects effects)
    {
        CommandResult result = applied.Result;
        if (command.CreateSession is not null && result.Error == ErrorCode.Ok)
            _alive.Add(result.SessionId);
        _endedSince += effects.SessionsEnded.Count;
        foreach (EndedSession ended in effects.SessionsEnded)
        {
            Assert.True(_alive.Remove(ended.SessionId), $"session {ended.SessionId} ended twice");
            foreach (string name in _holders.Where(h => h.Value.Session == ended.SessionId).Select(h => h.Key).ToArray())
                _holders.Remove(name);
        }
        if (result.Outcome is Outcome.Released or Outcome.Cancelled && result.Token != 0)
            GiveBack(command.SessionId, result.Token);
        if (applied.WaitIndex == index)
            _waiting.Add(index, (command.AcquireLock.Name, command.SessionId));
        foreach (WaitEnded ended in effects.WaitsEnded)
            SeeEnd(index, ended);
        if (command.AcquireLock is { } acquire && result.Outcome == Outcome.Granted)
            SeeGrant(index, acquire.Name, command.SessionId, command.RequestId, result);
        if (command.CancelWait is { RequestId: > 0 } cancel && result.Outcome == Outcome.Cancelled)
            _cancelled.Add((command.SessionId, cancel.RequestId));
        if (result.Revision > _revision)
            SeeChange(command, result);
    }

    private void SeeEnd(long index, WaitEnded ended)
    {
        Assert.True(_waiting.Remove(ended.EntryIndex, out (string Name, long Session) wait), "a wait ended twice");
        Assert.Equal(wait.Session, ended.SessionId);
        Assert.NotEqual(Outcome.Queued, ended.Result.Outcome);
        if (ended.Result.Outcome != Outcome.Granted)
            return;
        Assert.DoesNotContain(_waiting, w => w.Value.Name == wait.Name && w.Key < ended.EntryIndex);
        SeeGrant(index, wait.Name, wait.Session, ended.RequestId, ended.Result);
    }

    private void SeeGrant(long index, string name, long session, long request, CommandResult result)
    {
        Assert.Contains(session, _alive);
        // A repeat of the request is told the same once more, whatever became of the holding since.
        if (result.Token < index || _holders.GetValueOrDefault(name) == (session, result.Token))
            return;
        Assert.DoesNotContain(name, _holders.Keys);
        Assert.True(result.Token > _lastTokens.GetValueOrDefault(name), $"token {result.Token} of '{name}' is not new");
        Assert.Equal((index, index), (result.Token, result.Floor));
        Assert.DoesNotContain((session, request), _cancelled);
        _holders.Add(name, (session, result.Token));
        _lastTokens[name] = result.Token;
        Grants++;
    }

    private void SeeChange(Command command, CommandResult result)
    {
        // Each session that ended may have taken a revision for its keys.
        Assert.InRange(result.Revision, _revision + 1, _revision + 1 + _endedSince);
        _revision = result.Revision;
        _endedSince = 0;
        if (command.RequestId != 0)
            Assert.True(_changed.Add((command.SessionId, command.RequestId)), "a change was executed twice");
    }

    private void GiveBack(long session, long token)
    {
        foreach (string name in _holders.Where(h => h.Value == (session, token)).Select(h => h.Key).ToArray())
            _holders.Remove(name);
    }
}
