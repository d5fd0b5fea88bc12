using System.Diagnostics.CodeAnalysis;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// The event streams of a silo's HTTP clients. Invariant: never more than the option's at a time, and of one that has
/// ended nothing is left: no watch, no buffer.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore holds nothing unless its wait handle is used.")]
internal sealed class EventStreams(
    CheckedGateway gateway, HttpInterfaceOptions options, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    // A change that thousands watch is work for seconds: they take turns, so that what else the silo does needn't stand in
    // line behind all of them.
    private readonly SemaphoreSlim _turns = new(Environment.ProcessorCount);
    private int _open;

    /// <summary>Where a client that was cut off goes on: the last id that it has received; null when it sends none.</summary>
    public static long? LastEventId(HttpContext context, Fields fields)
    {
        // What comes after the highest number can't be asked for.
        if (Queries.NumberIn(context.Request.Headers["Last-Event-ID"], out long? last) && last != long.MaxValue)
            return last;
        fields.Refuse(
            ErrorCode.InvalidRequest, "Last-Event-ID is the id of an event of this stream, a whole number.");
        return null;
    }

    /// <summary>Streams what <paramref name="watch"/> yields, until it ends, the client leaves, or the silo stops.</summary>
    /// <param name="fields">Of the request; nothing more is read of them.</param>
    public async Task ServeAsync(HttpContext context, Watch watch, Fields fields, IStreamEvents events)
    {
        fields.Group(gateway.Groups);
        if (fields.Finish() is { } refusal)
        {
            await Problems.WriteAsync(context, refusal);
            return;
        }
        bool hasPlace = Interlocked.Increment(ref _open) <= options.StreamsMax;
        try
        {
            if (hasPlace)
                await ServeAsync(context, fields.SaidGroup, watch, events);
            else
                await Problems.WriteAsync(
                    context, ErrorCode.TooManyWatches, $"This silo has {options.StreamsMax} open event streams.");
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task ServeAsync(HttpContext context, int? group, Watch watch, IStreamEvents events)
    {
        await using WatchReader pages = new(gateway, group, watch, context.RequestAborted, stopping);
        // The status has to wait for it, so that what can't be watched is refused as anything else is.
        WatchPage first = (await pages.NextAsync(Timeout.InfiniteTimeSpan, time))!;
        Answers.SetPosition(context, first.Position);
        if (first.Error != ErrorCode.Ok)
        {
            await Problems.WriteAsync(context, first.Error, first.Message);
            return;
        }
        EventStream stream = new(context, _turns, options, time, logger);
        stream.Begin();
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        for (WatchPage? page = first; ; page = await pages.NextAsync(options.StreamSilenceMax, time))
        {
            // The next page is asked for only when the client has taken this one.
            if (!await stream.SendAsync(PiecesOf(page, events)) || page is { Error: not ErrorCode.Ok })
                return;
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> PiecesOf(WatchPage? page, IStreamEvents events)
    {
        if (page is { Error: ErrorCode.Ok })
            return events.Write(page);
        EventText text = new();
        if (page is null)
            text.AddComment();
        else if (!events.IsInside)
            // Inside an event it would end that one: the client drops what is cut off, and learns why when it comes again.
            text.AddEvent("error", id: null, json =>
                Problems.Write(json, page.Error, page.Message, leaderHint: null, Problems.StatusOf(page.Error)));
        return [text.Take()];
    }
}
