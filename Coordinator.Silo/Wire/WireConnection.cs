using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Silo.Http;

namespace Coordinator.Silo.Wire;

/// <summary>What the connections of a silo have in common.</summary>
internal sealed record WireSettings(
    CheckedGateway Gateway, Welcome Welcome, HttpInterfaceOptions Options, TimeProvider Time, ILogger Logger);

/// <summary>
/// One client's connection from its hello to its end. Invariant: when <see cref="RunAsync"/> has ended nothing of it
/// is left: no request, no watch, no buffer.
/// </summary>
internal sealed class WireConnection : IDisposable
{
    // Time for the answers under way when the silo stops, and for the client to read why it was refused.
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(2);

    private readonly WebSocket _socket;
    private readonly WireSettings _settings;
    private readonly string _id;
    private readonly WireReader _reader;
    private readonly WireOutbox _outbox;
    private readonly SessionWatches _watches;
    private readonly WireRequests _requests;

    public WireConnection(WebSocket socket, WireSettings settings, string id, string caller)
    {
        _socket = socket;
        _settings = settings;
        _id = id;
        _reader = new WireReader(socket);
        _outbox = new WireOutbox(socket, settings.Options);
        _watches = new SessionWatches(settings.Gateway.Gateways,
            ended => _outbox.Send(new ServerFrame { SessionEnded = ended }), settings.Options.SessionsPerConnectionMax);
        _requests = new WireRequests(settings.Gateway, _outbox, _watches, settings.Options, caller);
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        TaskCompletionSource stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stopping.UnsafeRegister(_ => stop.TrySetResult(), null);
        Task sending = _outbox.RunAsync();
        Task<FramingError?> reading = ReadAllAsync();
        try
        {
            if (await Task.WhenAny(reading, stop.Task) != reading)
                await SayGoodbyeAsync(reading);
            else if (await reading is { } error)
                _settings.Logger.WireRefused(_id, error.Code, error.Message);
            await CloseAsync(sending, reading);
        }
        finally
        {
            _socket.Abort();
            await sending;
            await reading;
            // Waits end here; commands stand, but acquires that nobody could ask for again are cancelled (rule 16).
            _requests.AbandonAll();
            await _requests.WhenAllAnswered();
        }
        if (_outbox.Overflowed)
            _settings.Logger.WireRefused(_id, ErrorCode.Overloaded, "The client does not read what it is sent.");
    }

    public void Dispose()
    {
        _watches.Dispose();
        _outbox.Dispose();
    }

    private async Task<FramingError?> ReadAllAsync()
    {
        using CancellationTokenSource hello = new(_settings.Options.PingTimeout, _settings.Time);
        List<ClientFrame> frames = [];
        bool greeted = false;
        try
        {
            while (true)
            {
                WireRead read = await _reader.ReadAsync(frames, greeted ? CancellationToken.None : hello.Token);
                foreach (ClientFrame frame in frames)
                {
                    if ((greeted ? _requests.Take(frame) : Greet(frame)) is { } error)
                        return Fail(frame.CorrelationId, error);
                    greeted = true;
                }
                frames.Clear();
                if (read is WireRead.Failed failed)
                    return Fail(correlationId: 0, failed.Error);
                if (read is WireRead.Closed)
                    return null;
            }
        }
        catch (Exception e) when (IsLost(e))
        {
            return null;
        }
    }

    private FramingError? Greet(ClientFrame frame)
    {
        if (frame.BodyCase != ClientFrame.BodyOneofCase.Hello)
            return new FramingError(ErrorCode.InvalidRequest, "A connection begins with a hello.");
        if (frame.Hello.ProtocolVersion != Limits.ProtocolVersion)
            return new FramingError(ErrorCode.InvalidRequest,
                $"This silo speaks protocol version {Limits.ProtocolVersion}, not {frame.Hello.ProtocolVersion}.");
        if (ResourceName.LabelProblem(frame.Hello.ClientName) is { } problem)
            return new FramingError(ErrorCode.InvalidRequest, $"The client's name: {problem}");
        _settings.Logger.WireOpened(_id, frame.Hello.ClientName);
        _outbox.Send(new ServerFrame { CorrelationId = frame.CorrelationId, Welcome = _settings.Welcome });
        return null;
    }

    private FramingError Fail(long correlationId, FramingError error)
    {
        _outbox.Send(new ServerFrame
        {
            CorrelationId = correlationId,
            Failure = new Failure { Code = error.Code, Message = error.Message },
        });
        return error;
    }

    private async Task SayGoodbyeAsync(Task reading)
    {
        _requests.Stop();
        _outbox.Send(new ServerFrame { Goodbye = new Goodbye { Reason = "The silo is stopping." } });
        _requests.EndWatches();
        await Task.WhenAny(reading, Task.Delay(AnswerGrace, _settings.Time));
    }

    /// <summary>
    /// Sends what waits and a close, and gives the client a moment to read both: a reset would discard them.
    /// </summary>
    private async Task CloseAsync(Task sending, Task<FramingError?> reading)
    {
        _outbox.Complete();
        using CancellationTokenSource deadline = new(CloseGrace, _settings.Time);
        try
        {
            await sending.WaitAsync(deadline.Token);
            if (_socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived))
                return;
            FramingError? error = reading.IsCompleted ? await reading : null;
            await _socket.CloseOutputAsync(CloseStatusOf(error, !reading.IsCompleted), null, deadline.Token);
            if (!reading.IsCompleted)
                await reading.WaitAsync(deadline.Token);
            else if (error is not null)
                await _reader.DiscardAsync(deadline.Token);
        }
        catch (Exception e) when (IsLost(e))
        {
            // The caller aborts what is left of the connection.
        }
    }

    private static WebSocketCloseStatus CloseStatusOf(FramingError? error, bool stopping) => error?.Code switch
    {
        null when stopping => WebSocketCloseStatus.EndpointUnavailable,
        null => WebSocketCloseStatus.NormalClosure,
        ErrorCode.RequestTooLarge => WebSocketCloseStatus.MessageTooBig,
        _ => WebSocketCloseStatus.PolicyViolation,
    };

    private static bool IsLost(Exception e) =>
        e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException;
}
