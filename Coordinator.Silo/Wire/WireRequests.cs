using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Silo.Http;

namespace Coordinator.Silo.Wire;

/// <summary>
/// Serves the requests of one connection, all at the same time. Invariant: each gets one answer, unless it is
/// abandoned; past the bound on open ones the answer is Overloaded, and nothing was proposed.
/// </summary>
internal sealed class WireRequests(
    CheckedGateway gateway, WireOutbox outbox, SessionWatches watches, HttpInterfaceOptions options, string caller)
{
    private readonly OpenRequests _open = new();
    private volatile bool _stopping;

    /// <summary>From now on new requests are refused with Stopping.</summary>
    public void Stop() => _stopping = true;

    /// <summary>Called once, when nothing more will be read.</summary>
    public Task WhenAllAnswered() => _open.WhenEmpty();

    public void AbandonAll() => _open.AbandonAll();

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
        bool keepAlive = frame.BodyCase == ClientFrame.BodyOneofCase.KeepAlive;
        ErrorCode? refused = RefusedNow(keepAlive);
        if (_open.TryOpen(frame.CorrelationId, keepAlive) is not { } request)
            return new FramingError(
                ErrorCode.InvalidRequest, $"The correlation id {frame.CorrelationId} is open already.");
        if (refused is { } code)
            Refuse(request, frame, code);
        else
            // Not awaited here, so that requests don't wait for each other; the connection ends only when all are done.
            _ = AnswerAsync(request, frame);
        return null;
    }

    private ErrorCode? RefusedNow(bool keepAlive)
    {
        if (_stopping)
            return ErrorCode.Stopping;
        int open = keepAlive ? _open.KeepAlives : _open.Count - _open.KeepAlives;
        return open >= options.OpenRequestsPerConnectionMax ? ErrorCode.Overloaded : null;
    }

    private async Task AnswerAsync(OpenRequest request, ClientFrame frame)
    {
        ServerFrame answer = new() { CorrelationId = request.CorrelationId };
        try
        {
            if (frame.BodyCase == ClientFrame.BodyOneofCase.Command)
                answer.Command = await gateway.ExecuteAsync(frame.Command, caller, request.Token);
            else if (frame.BodyCase == ClientFrame.BodyOneofCase.Query)
                answer.Query = await gateway.QueryAsync(frame.Query, request.Token);
            else if (frame.BodyCase == ClientFrame.BodyOneofCase.Cluster)
                answer.Cluster = await gateway.AdministerAsync(frame.Cluster, request.Token);
            else
                answer.KeepAlive = await KeepAliveAsync(frame.KeepAlive.SessionId, request.Token);
        }
        catch (OperationCanceledException) when (request.IsCancellationRequested)
        {
            _open.Free(request);
            _open.Done();
            return;
        }
        Send(request, answer);
    }

    private void Refuse(OpenRequest request, ClientFrame frame, ErrorCode code)
    {
        string message = code == ErrorCode.Stopping
            ? "This silo is stopping."
            : $"The connection has {options.OpenRequestsPerConnectionMax} open requests.";
        ServerFrame answer = new() { CorrelationId = request.CorrelationId };
        if (frame.BodyCase == ClientFrame.BodyOneofCase.Command)
            answer.Command = new CommandAnswer { Result = new CommandResult { Error = code }, Message = message };
        else if (frame.BodyCase == ClientFrame.BodyOneofCase.Query)
            answer.Query = new QueryAnswer { Error = code, Message = message };
        else if (frame.BodyCase == ClientFrame.BodyOneofCase.Cluster)
            answer.Cluster = new ClusterAnswer { Error = code, Message = message };
        else
            answer.KeepAlive = new KeepAliveAnswer { SessionId = frame.KeepAlive.SessionId, Error = code };
        Send(request, answer);
    }

    private void Send(OpenRequest request, ServerFrame answer)
    {
        // In this order: the client may use the id again once it reads the answer, and the connection is not empty
        // before the answer waits to be sent.
        _open.Free(request);
        outbox.Send(answer);
        _open.Done();
    }

    private async Task<KeepAliveAnswer> KeepAliveAsync(long sessionId, CancellationToken abandoned)
    {
        if (!watches.TryReserve(sessionId))
            return new KeepAliveAnswer { SessionId = sessionId, Error = ErrorCode.TooManySessions };
        KeepAliveAnswer answer = await gateway.KeepAliveAsync(sessionId, abandoned);
        if (answer.Error == ErrorCode.Ok)
            watches.Start(sessionId);
        else if (answer.Error is ErrorCode.SessionNotFound or ErrorCode.InvalidRequest)
            watches.Remove(sessionId);
        return answer;
    }
}
