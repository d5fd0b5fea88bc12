using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains;

namespace Coordinator.Silo.Wire;

/// <summary>
/// The sessions whose end one connection is told of: those that it has kept alive. Invariant: each is registered once,
/// and none after <see cref="Dispose"/>, which is called when no request is open any more.
/// </summary>
internal sealed class SessionWatches(IReadOnlyList<GroupGateway> gateways, Action<SessionEnded> push, int sessionsMax) : IDisposable
{
    private readonly ConcurrentDictionary<(int Group, long Id), Watch> _watches = new();
    private int _count;

    /// <summary>Reserves a place for the session.</summary>
    /// <returns>False when the connection has as many as it may.</returns>
    public bool TryReserve((int Group, long Id) session)
    {
        if (_watches.ContainsKey(session))
            return true;
        if (Interlocked.Increment(ref _count) <= sessionsMax && _watches.TryAdd(session, new Watch()))
            return true;
        Interlocked.Decrement(ref _count);
        return _watches.ContainsKey(session);
    }

    /// <summary>The session was found alive: from now on its end is told.</summary>
    public void Start((int Group, long Id) session)
    {
        if (!_watches.TryGetValue(session, out Watch? watch) || !watch.TryStart())
            return;
        watch.Registration = gateways[session.Group].OnSessionEnded(session.Id, ended =>
        {
            push(ended);
            Remove(session);
        });
        // It may have ended while it was being registered: then nobody else disposes of it.
        if (!_watches.ContainsKey(session))
            watch.Registration.Dispose();
    }

    /// <summary>The session is gone, or was never found.</summary>
    public void Remove((int Group, long Id) session)
    {
        if (!_watches.TryRemove(session, out Watch? watch))
            return;
        Interlocked.Decrement(ref _count);
        watch.Registration?.Dispose();
    }

    public void Dispose()
    {
        foreach ((int, long) session in _watches.Keys)
            Remove(session);
    }

    private sealed class Watch
    {
        private int _started;

        public IDisposable? Registration { get; set; }

        public bool TryStart() => Interlocked.Exchange(ref _started, 1) == 0;
    }
}
