using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Silo.Http;

/// <summary>
/// One answer that goes on for as long as its client reads. Invariant: what is sent waits for the client to take it, and
/// a client that takes nothing for too long is cut off.
/// </summary>
internal sealed class EventStream(HttpContext context, HttpInterfaceOptions options, TimeProvider time, ILogger logger)
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
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            using CancellationTokenSource timeout = new(options.StreamWriteTimeout, time);
            try
            {
                await context.Response.Body.WriteAsync(piece, timeout.Token);
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested)
            {
                logger.StreamCutOff(context.Request.Path, options.StreamWriteTimeout);
                context.Abort();
                return false;
            }
        }
        return true;
    }
}
