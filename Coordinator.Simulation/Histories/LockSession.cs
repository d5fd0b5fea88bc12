using Coordinator.Simulation.Linearizability;

namespace Coordinator.Simulation.Histories;

/// <summary>
/// The end of a session as the locks see it that it has asked for. Invariant: a lock's end of the session is invoked once
/// the session may end and has asked for the lock, and returns when the session is known to have ended.
/// </summary>
internal sealed class LockSession(long id)
{
    private readonly List<LockEnd> _locks = [];
    private bool _mayEnd;
    private bool _hasEnded;

    public void Touch(int client, string name, RequestRecorder<LockInput, LockOutput> requests)
    {
        if (_locks.Exists(touched => touched.Name == name))
            return;
        _locks.Add(new LockEnd(name, client));
        if (_mayEnd)
            MayEnd(requests);
        if (_hasEnded)
            HasEnded(requests);
    }

    public void MayEnd(RequestRecorder<LockInput, LockOutput> requests)
    {
        _mayEnd = true;
        foreach (LockEnd end in _locks)
            requests.Sent(end.Client, end, new LockInput.EndSession(id, end.Name));
    }

    public void HasEnded(RequestRecorder<LockInput, LockOutput> requests)
    {
        // Sooner than it could: then the service has broken its word, and this is when it shows.
        MayEnd(requests);
        _hasEnded = true;
        foreach (LockEnd end in _locks)
            requests.Answered(end, new LockOutput.Ended());
    }

    private sealed record LockEnd(string Name, int Client);
}
