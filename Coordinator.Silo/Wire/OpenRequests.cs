using System.Collections.Concurrent;

namespace Coordinator.Silo.Wire;

/// <summary>
/// The requests of one connection that wait for their answers. Invariant: a correlation id is open at most once, and
/// <see cref="WhenEmpty"/> completes only after the last of them is done.
/// </summary>
internal sealed class OpenRequests
{
    private readonly ConcurrentDictionary<long, OpenRequest> _open = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The connection itself counts as one until it ends, so that "empty" is reached once.
    private int _count = 1;
    private readonly int[] _counts = new int[Enum.GetValues<OpenKind>().Length];

    /// <summary>
    /// Those of a kind. Each kind is bounded on its own, so that a thousand waits don't end the sessions that wait.
    /// </summary>
    public int CountOf(OpenKind kind) => Volatile.Read(ref _counts[(int)kind]);

    /// <returns>Null if the correlation id is open already.</returns>
    public OpenRequest? TryOpen(long correlationId, OpenKind kind)
    {
        OpenRequest request = new(correlationId, kind);
        if (!_open.TryAdd(correlationId, request))
            return null;
        Interlocked.Increment(ref _count);
        Interlocked.Increment(ref _counts[(int)kind]);
        return request;
    }

    public bool IsOpen(OpenRequest request) =>
        _open.TryGetValue(request.CorrelationId, out OpenRequest? open) && open == request;

    /// <summary>The correlation id may be used again.</summary>
    /// <returns>False when it was free already: the request was abandoned.</returns>
    public bool Free(OpenRequest request)
    {
        if (!_open.TryRemove(KeyValuePair.Create(request.CorrelationId, request)))
            return false;
        Interlocked.Decrement(ref _counts[(int)request.Kind]);
        return true;
    }

    /// <summary>Called once for each opened request, after all that was to be done about it.</summary>
    public void Done()
    {
        if (Interlocked.Decrement(ref _count) == 0)
            _empty.TrySetResult();
    }

    public void Abandon(long correlationId)
    {
        // Free at once: whoever has abandoned it gets no answer, and need not wait for one before using the id again.
        if (_open.TryGetValue(correlationId, out OpenRequest? request) && Free(request))
            request.Cancel();
    }

    /// <summary>Ends the wait of all that are of this kind; each still has to be answered.</summary>
    public void Cancel(OpenKind kind)
    {
        foreach (OpenRequest request in _open.Values)
        {
            if (request.Kind == kind)
                request.Cancel();
        }
    }

    /// <summary>Called once, when nothing more will be opened.</summary>
    public Task WhenEmpty()
    {
        Done();
        return _empty.Task;
    }

    public void AbandonAll()
    {
        foreach (OpenRequest request in _open.Values)
            request.Cancel();
    }
}

internal enum OpenKind { Request, KeepAlive, Watch }

/// <summary>
/// One request that waits for its answer; cancelled when that is no longer wanted. Never disposed: it has no timer and
/// no handle, and an Abandon may meet the answer.
/// </summary>
internal sealed class OpenRequest(long correlationId, OpenKind kind) : CancellationTokenSource
{
    public long CorrelationId => correlationId;

    public OpenKind Kind => kind;
}
