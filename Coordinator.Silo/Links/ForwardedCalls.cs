using System.Collections.Concurrent;
using Coordinator.Contracts;

namespace Coordinator.Silo.Links;

/// <summary>
/// The requests that the other silo has forwarded to this one over one link. Invariant: when <see cref="EndAsync"/> has
/// ended, none is worked on any more.
/// </summary>
internal sealed class ForwardedCalls(LinkOutbox outbox, LinkContext context, string silo, Action<string> abort)
{
    private readonly ConcurrentDictionary<long, (CancellationTokenSource Abandoned, Task Work)> _open = new();

    /// <returns>Null, or what is wrong: the link can't be used any further.</returns>
    public string? Begin(long id, ForwardedRequest request)
    {
        if (request.RequestCase == ForwardedRequest.RequestOneofCase.None)
        {
            Reply(id, ForwardedCall.Failure(ErrorCode.InvalidRequest, "This silo does not know such a request."));
            return null;
        }
        if (_open.Count >= context.Options.OpenRequestsMax)
        {
            Reply(id, ForwardedCall.Failure(ErrorCode.Overloaded, "Too many forwarded requests are open."));
            return null;
        }
        CancellationTokenSource abandoned = new();
        TaskCompletionSource work = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_open.TryAdd(id, (abandoned, work.Task)))
        {
            abandoned.Dispose();
            return $"Two open requests have the number {id}.";
        }
        ForwardedCall call = new(silo, request, answer => Reply(id, answer), abandoned.Token);
        _ = Task.Run(() => WorkAsync(id, call, work));
        return null;
    }

    public void Abandon(long id)
    {
        if (_open.TryGetValue(id, out (CancellationTokenSource Abandoned, Task) open))
            Cancel(open.Abandoned);
    }

    public async Task EndAsync()
    {
        foreach ((CancellationTokenSource abandoned, _) in _open.Values)
            Cancel(abandoned);
        await Task.WhenAll(_open.Values.Select(open => open.Work));
    }

    private async Task WorkAsync(long id, ForwardedCall call, TaskCompletionSource work)
    {
        try
        {
            await context.Handlers.Answer(call);
        }
        catch (OperationCanceledException) when (call.Abandoned.IsCancellationRequested)
        {
            // Nobody waits for an answer.
        }
        catch (Exception e)
        {
            context.Log.ForwardedFailed(e, silo);
            call.Fail(ErrorCode.OutcomeUnknown, "The request failed in the silo that it was forwarded to.");
        }
        finally
        {
            if (_open.TryRemove(id, out (CancellationTokenSource Abandoned, Task) open))
                open.Abandoned.Dispose();
            work.SetResult();
        }
    }

    // An answer that is lost would leave its caller waiting; a lost link tells all of them.
    private void Reply(long id, ForwardedAnswer answer)
    {
        if (answer.CalculateSize() > context.Options.FrameBytesMax / 2)
            answer = ForwardedCall.Failure(ErrorCode.OutcomeUnknown, "The answer is too large to be handed back.");
        if (!outbox.TryForward(new LinkFrame { CorrelationId = id, Answer = answer }))
            abort("The other silo does not read the answers to what it forwards.");
    }

    private static void Cancel(CancellationTokenSource abandoned)
    {
        try
        {
            abandoned.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended in this moment.
        }
    }
}
