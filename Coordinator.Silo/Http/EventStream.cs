using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Silo.Http;

/// <summary>
/// One answer that goes on for as long as its client reads. Invariant: what is sent waits for the client to take it, and
/// a client that takes nothing for too long is cut off.
/// </summary>
/// <param name="turns">Taken to make a piece and to hand it on, not while a client takes it.</param>
internal sealed class EventStream(
    HttpContext context, SemaphoreSlim turns, HttpInterfaceOptions options, TimeProvider time, ILogger logger)
{
    public void Begin()
    {
        HttpResponse response = context.Response;
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        Answers.SetSafety(response.Headers);
        response.ContentType = "text/event-stream";
        // Proxies collect answers otherwise.
        response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <param name="pieces">Small ones: so a client that takes a large event slowly, but does take it, makes progress.</param>
    /// <returns>False when the client was cut off.</returns>
    public async Task<bool> SendAsync(IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        using IEnumerator<ReadOnlyMemory<byte>> next = pieces.GetEnumerator();
        while (true)
        {
            using CancellationTokenSource timeout = new(Timeout.InfiniteTimeSpan, time);
            if (await BeginNextAsync(next, timeout) is not { } sending)
                return true;
            try
            {
                await sending;
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested)
            {
                logger.StreamCutOff(context.Request.Path, options.StreamWriteTimeout);
                context.Abort();
                return false;
            }
        }
    }

    /// <returns>Null: there is no more.</returns>
    private async Task<Task?> BeginNextAsync(IEnumerator<ReadOnlyMemory<byte>> next, CancellationTokenSource timeout)
    {
        await turns.WaitAsync(context.RequestAborted);
        try
        {
            if (!next.MoveNext())
                return null;
            timeout.CancelAfter(options.StreamWriteTimeout);
            return context.Response.Body.WriteAsync(next.Current, timeout.Token).AsTask();
        }
        finally
        {
            turns.Release();
        }
    }
}
