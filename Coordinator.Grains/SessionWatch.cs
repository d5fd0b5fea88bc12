using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>Who wants to hear of a session's end. Each listener is called at most once; thread-safe.</summary>
internal sealed class SessionWatch(int group)
{
    private readonly ConcurrentDictionary<long, Listener[]> _listeners = [];

    public Listener Add(long sessionId, Action<SessionEnded> ended)
    {
        var listener = new Listener(this, sessionId, ended);
        _listeners.AddOrUpdate(sessionId, [listener], (_, others) => [.. others, listener]);
        return listener;
    }

    /// <summary>Every replica here tells of every end; the first is passed on.</summary>
    public void Ended(EndedSession session) => Ended(session.SessionId, session.Reason switch
    {
        SessionEndReason.Expired => "expired",
        _ => "closed",
    });

    public void Ended(long sessionId, string reason)
    {
        if (!_listeners.TryRemove(sessionId, out Listener[]? listeners))
            return;
        var ended = new SessionEnded { Group = group, SessionId = sessionId, Reason = reason };
        foreach (Listener listener in listeners)
            listener.Call(ended);
    }

    private void Remove(Listener listener)
    {
        while (_listeners.TryGetValue(listener.SessionId, out Listener[]? listeners))
        {
            Listener[] rest = [.. listeners.Where(other => other != listener)];
            if (rest.Length == 0
                ? _listeners.TryRemove(KeyValuePair.Create(listener.SessionId, listeners))
                : _listeners.TryUpdate(listener.SessionId, rest, listeners))
                return;
        }
    }

    internal sealed class Listener(SessionWatch watch, long sessionId, Action<SessionEnded> ended) : IDisposable
    {
        private Action<SessionEnded>? _ended = ended;

        public long SessionId => sessionId;

        public bool IsPending => _ended is not null;

        public void Call(SessionEnded what) => Interlocked.Exchange(ref _ended, null)?.Invoke(what);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, null) is not null)
                watch.Remove(this);
        }
    }
}
