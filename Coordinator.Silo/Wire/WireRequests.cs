using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Silo.Http;

namespace Coordinator.Silo.Wire;

/// <summary>
/// Serves the requests of one connection, all at the same time. Invariant: each gets one answer, unless it is
/// abandoned, and a watch its pages; past the bound on open ones the answer says so, and nothing was proposed.
/// </summary>
internal sealed class WireRequests(
    CheckedGateway gateway, WireOutbox outbox, SessionWatches watches, HttpInterfaceOptions options, string caller)
{
    private readonly OpenRequests _open = new();
    private readonly WireRefusals _refusals = new(options);
    private volatile bool _stopping;

    /// <summary>From now on new requests are refused with Stopping.</summary>
    public void Stop() => _stopping = true;

    /// <summary>Called once, when nothing more will be read.</summary>
    public Task WhenAllAnswered() => _open.WhenEmpty();

    public void AbandonAll() => _open.AbandonAll();

    /// <summary>Each is told that the silo stops. To be called after <see cref="Stop"/>.</summary>
    public void EndWatches() => _open.Cancel(OpenKind.Watch);

    /// <summary>Takes one frame.</summary>
    /// <returns>Null, or why the connection can't go on.</returns>
    public FramingError? Take(ClientFrame frame)
    {
        switch (frame.BodyCase)
        {
            case ClientFrame.BodyOneofCase.Abandon:
                _open.Abandon(frame.CorrelationId);
                return null;
            case ClientFrame.BodyOneofCase.Command:
            case ClientFrame.BodyOneofCase.Query:
            case ClientFrame.BodyOneofCase.KeepAlive:
            case ClientFrame.BodyOneofCase.Watch:
            case ClientFrame.BodyOneofCase.Cluster:
                return TakeRequest(frame);
            case ClientFrame.BodyOneofCase.Hello:
                return new FramingError(ErrorCode.InvalidRequest, "A connection says hello once.");
            default:
                return new FramingError(ErrorCode.InvalidRequest, "A frame holds nothing that this silo knows.");
        }
    }

    private FramingError? TakeRequest(ClientFrame frame)
    {
        if (frame.CorrelationId <= 0)
            return new FramingError(ErrorCode.InvalidRequest, "A request's correlation id is positive.");
        OpenKind kind = frame.BodyCase switch
        {
            ClientFrame.BodyOneofCase.KeepAlive => OpenKind.KeepAlive,
            ClientFrame.BodyOneofCase.Watch => OpenKind.Watch,
            _ => OpenKind.Request,
        };
        ErrorCode? refused = _stopping ? ErrorCode.Stopping : _refusals.PastBound(kind, _open.CountOf(kind));
        if (_open.TryOpen(frame.CorrelationId, kind) is not { } request)
            return new FramingError(
                ErrorCode.InvalidRequest, $"The correlation id {frame.CorrelationId} is open already.");
        if (refused is { } code)
            Send(request, _refusals.Answer(frame, code));
        else
            // Not awaited here, so that requests don't wait for each other; the connection ends only when all are done.
            _ = kind == OpenKind.Watch ? WatchAsync(request, frame.Group, frame.Watch) : AnswerAsync(request, frame);
        return null;
    }

    private async Task AnswerAsync(OpenRequest request, ClientFrame frame)
    {
        ServerFrame answer = new() { CorrelationId = request.CorrelationId };
        try
        {
            if (frame.BodyCase == ClientFrame.BodyOneofCase.Command)
                answer.Command = await gateway.ExecuteAsync(frame.Group, frame.Command, caller, request.Token);
            else if (frame.BodyCase == ClientFrame.BodyOneofCase.Query)
                answer.Query = await gateway.QueryAsync(frame.Group, frame.Query, request.Token);
            else if (frame.BodyCase == ClientFrame.BodyOneofCase.Cluster)
                answer.Cluster = await gateway.AdministerAsync(frame.Cluster, request.Token);
            else
                answer.KeepAlive = await KeepAliveAsync((frame.Group, frame.KeepAlive.SessionId), request.Token);
        }
        catch (OperationCanceledException) when (request.IsCancellationRequested)
        {
            _open.Free(request);
            _open.Done();
            return;
        }
        Send(request, answer);
    }

    /// <summary>
    /// Asks for a page only when the ones before have room: what is not asked for is not read, and waits nowhere.
    /// </summary>
    private async Task WatchAsync(OpenRequest request, int group, Watch watch)
    {
        WatchPage? last = null;
        // Pages may be there at once, many of them, and the connection reads on meanwhile.
        await Task.Yield();
        try
        {
            await outbox.WhenRoomAsync(request.Token);
            await foreach (WatchPage page in gateway.WatchAsync(group, watch, request.Token))
            {
                last = page;
                if (page.Error != ErrorCode.Ok)
                    break;
                await outbox.SendWhenRoomAsync(
                    new ServerFrame { CorrelationId = request.CorrelationId, WatchPage = page }, request.Token);
                await outbox.WhenRoomAsync(request.Token);
            }
        }
        catch (OperationCanceledException) when (request.IsCancellationRequested)
        {
            // Abandoned, and then nothing is sent; or the silo stops; or the connection has ended, and nobody reads it.
            last = new WatchPage { Error = ErrorCode.Stopping, Message = WireRefusals.Stopping };
        }
        if (last is null or { Error: ErrorCode.Ok })
            last = new WatchPage { Error = ErrorCode.Internal, Message = ErrorText.Of(ErrorCode.Internal) };
        Send(request, new ServerFrame { CorrelationId = request.CorrelationId, WatchPage = last });
    }

    private void Send(OpenRequest request, ServerFrame answer)
    {
        // In this order: the client may use the id again once it reads the answer, and the connection is not empty
        // before the answer waits to be sent.
        if (_open.Free(request))
            outbox.Send(answer);
        _open.Done();
    }

    private async Task<KeepAliveAnswer> KeepAliveAsync((int Group, long Id) session, CancellationToken abandoned)
    {
        if (!watches.TryReserve(session))
            return new KeepAliveAnswer { SessionId = session.Id, Error = ErrorCode.TooManySessions };
        KeepAliveAnswer answer = await gateway.KeepAliveAsync(session.Group, session.Id, abandoned);
        if (answer.Error == ErrorCode.Ok)
            watches.Start(session);
        else if (answer.Error is ErrorCode.SessionNotFound or ErrorCode.InvalidRequest)
            watches.Remove(session);
        return answer;
    }
}
