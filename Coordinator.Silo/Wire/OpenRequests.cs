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
    private int _keepAlives;

    public int Count => Volatile.Read(ref _count) - 1;

    /// <summary>
    /// Open keep-alives; bounded on their own, so that a thousand waits don't end the sessions that wait.
    /// </summary>
    public int KeepAlives => Volatile.Read(ref _keepAlives);

    /// <returns>Null if the correlation id is open already.</returns>
    public OpenRequest? TryOpen(long correlationId, bool keepAlive)
    {
        OpenRequest request = new(correlationId, keepAlive);
        if (!_open.TryAdd(correlationId, request))
            return null;
        Interlocked.Increment(ref _count);
        if (keepAlive)
            Interlocked.Increment(ref _keepAlives);
        return request;
    }

    /// <summary>The correlation id may be used again.</summary>
    public void Free(OpenRequest request)
    {
        _open.TryRemove(request.CorrelationId, out _);
        if (request.KeepAlive)
            Interlocked.Decrement(ref _keepAlives);
    }

    /// <summary>Called once for each opened request, after all that was to be done about it.</summary>
    public void Done()
    {
        if (Interlocked.Decrement(ref _count) == 0)
            _empty.TrySetResult();
    }

    public void Abandon(long correlationId)
    {
        if (_open.TryGetValue(correlationId, out OpenRequest? request))
            request.Cancel();
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

/// <summary>
/// One request that waits for its answer; cancelled when that is no longer wanted. Never disposed: it has no timer and
/// no handle, and an Abandon may meet the answer.
/// </summary>
internal sealed class OpenRequest(long correlationId, bool keepAlive) : CancellationTokenSource
{
    public long CorrelationId => correlationId;

    public bool KeepAlive => keepAlive;
}
