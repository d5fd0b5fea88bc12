using System.Buffers;
using System.IO.Pipelines;

namespace Coordinator.Silo.Http;

/// <summary>Reads a body of bounded size. Invariant: never more than the bound is held.</summary>
internal static class RequestBody
{
    /// <returns>Null if it is over <paramref name="bytesMax"/>; the rest has not been read.</returns>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context, int bytesMax)
    {
        long? stated = context.Request.ContentLength;
        if (stated > bytesMax)
            return null;
        if (stated == 0)
            return ReadOnlyMemory<byte>.Empty;
        ArrayBufferWriter<byte> body = new((int)(stated ?? 1024));
        PipeReader reader = context.Request.BodyReader;
        while (true)
        {
            ReadResult read = await ReadSomeAsync(reader, context.RequestAborted);
            bool tooLarge = body.WrittenCount + read.Buffer.Length > bytesMax;
            if (!tooLarge)
                foreach (ReadOnlyMemory<byte> segment in read.Buffer)
                    body.Write(segment.Span);
            // Consumed, not only examined: HTTP/2 opens its window again by what is consumed.
            reader.AdvanceTo(read.Buffer.End);
            if (tooLarge)
                return null;
            if (read.IsCompleted)
                return body.WrittenMemory;
        }
    }

    private static async ValueTask<ReadResult> ReadSomeAsync(PipeReader reader, CancellationToken aborted)
    {
        try
        {
            return await reader.ReadAsync(aborted);
        }
        catch (IOException e) when (e.InnerException is OverflowException)
        {
            // How the server tells of a chunk's size that no number holds: alone of all framing errors, not as a bad request.
            throw new BadHttpRequestException(e.Message, StatusCodes.Status400BadRequest, e);
        }
    }
}
