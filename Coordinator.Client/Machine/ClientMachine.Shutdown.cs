namespace Coordinator.Client.Machine;

/// <summary>The end: holders hear of it first, then the cluster, for a bounded time.</summary>
internal sealed partial class ClientMachine
{
    private TimeSpan _stopBy = TimeSpan.MaxValue;
    private bool _stopped;

    private bool IsStopping => _stopBy != TimeSpan.MaxValue;

    /// <summary>Ends all sessions and stops, or gives up telling the cluster after a while.</summary>
    public void Shutdown(ClientInstant now)
    {
        Advance(now);
        if (IsStopping)
            return;
        _stopBy = _now.Monotonic + _options.ShutdownMax;
        StopAll();
        Work();
    }

    private void StopAll()
    {
        foreach (Session session in _sessions.ToArray())
        {
            // Holders hear of it before the cluster does: no one else may have the lock while they think they do.
            Lose(session, "The client was disposed.");
            EndOnCluster(session);
        }
        foreach (Operation operation in OpenInOrder())
        {
            Complete(operation, new Completion.Stopped());
            if (operation is not EndSessionOperation)
                Close(operation);
        }
        while (_unsent.First is { } unsent)
        {
            Complete(unsent.Value, new Completion.Stopped());
            Close(unsent.Value);
        }
        foreach (Operation greet in _greets)
            Complete(greet, new Completion.Stopped());
        _greets.Clear();
        StopLines();
        foreach (StreamOperation paused in _paused)
            Complete(paused, new Completion.Stopped());
        _paused.Clear();
        StopLeases();
    }

    private void Stop()
    {
        _stopped = true;
        _link.Phase = LinkPhase.Stopped;
        _effects.Add(new ClientEffect.Stopped());
    }
}
