namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// Writes down what clients did, from any number of threads. Invariant: an operation's invocation is recorded before
/// the call that makes it, its end after the answer came, and the order of the events is the order of these calls; so
/// the history never claims that one operation came before another unless it did.
/// </summary>
internal sealed class OperationRecorder<TInput, TOutput>(TimeProvider time)
    where TInput : class
    where TOutput : class
{
    private readonly Lock gate = new();
    private readonly long start = time.GetTimestamp();
    private readonly List<HistoryEvent<TInput, TOutput>> events = [];
    private readonly HashSet<int> running = [];
    private int operations;

    /// <summary>To be called just before the request is made. The answer names the operation.</summary>
    public int Invoke(int client, TInput input)
    {
        lock (gate)
        {
            int operation = operations++;
            running.Add(operation);
            events.Add(new HistoryEvent<TInput, TOutput>.Invoked(operation, NowUs(), client, input));
            return operation;
        }
    }

    /// <summary>To be called just after the answer came.</summary>
    public void Return(int operation, TOutput output) =>
        End(operation, now => new HistoryEvent<TInput, TOutput>.Returned(operation, now, output));

    /// <summary>The client waits no longer and doesn't know: a time-out, a lost connection, OutcomeUnknown.</summary>
    public void GiveUp(int operation) =>
        End(operation, now => new HistoryEvent<TInput, TOutput>.GaveUp(operation, now));

    /// <summary>The service promised that nothing was done and nothing will be; the history holds it to that.</summary>
    public void HadNoEffect(int operation) =>
        End(operation, now => new HistoryEvent<TInput, TOutput>.HadNoEffect(operation, now));

    /// <summary>What was recorded so far. Operations still running have an unknown outcome in it.</summary>
    public IReadOnlyList<HistoryEvent<TInput, TOutput>> History()
    {
        lock (gate)
            return events.ToArray();
    }

    private void End(int operation, Func<long, HistoryEvent<TInput, TOutput>> end)
    {
        lock (gate)
        {
            if (!running.Remove(operation))
                throw new InvalidOperationException($"Operation {operation} has ended already, or never began.");
            events.Add(end(NowUs()));
        }
    }

    // Read under the lock, so that times rise with the order of the events.
    private long NowUs() => (long)time.GetElapsedTime(start).TotalMicroseconds;
}
