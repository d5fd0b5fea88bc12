using Coordinator.Grains.Backup;
using Coordinator.Replica;
using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Silo.Http;

/// <summary>
/// Sends a snapshot as a file. Invariant: a client that takes nothing for too long is cut off, and what it left half done
/// has no checksum at its end.
/// </summary>
internal sealed class SnapshotStreams(HttpInterfaceOptions options, TimeProvider time, ILogger logger)
{
    public async Task SendAsync(HttpContext context, SavedState state)
    {
        HttpResponse response = context.Response;
        Answers.SetSafety(response.Headers);
        response.ContentType = "application/octet-stream";
        response.ContentLength = SnapshotFile.LengthOf(state);
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        logger.SnapshotSent(
            state.Group, state.Index, SnapshotFile.LengthOf(state), context.Connection.RemoteIpAddress?.ToString() ?? "");
        foreach (ReadOnlyMemory<byte> piece in SnapshotFile.PiecesOf(state))
        {
            if (!await SendAsync(context, piece))
            {
                logger.SnapshotCutOff(state.Group, options.StreamWriteTimeout);
                context.Abort();
                return;
            }
        }
    }

    private async Task<bool> SendAsync(HttpContext context, ReadOnlyMemory<byte> piece)
    {
        using CancellationTokenSource timeout = new(options.StreamWriteTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, context.RequestAborted);
        try
        {
            await context.Response.Body.WriteAsync(piece, either.Token);
            return true;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return false;
        }
    }
}
