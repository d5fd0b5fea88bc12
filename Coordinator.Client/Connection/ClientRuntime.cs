using System.Threading.Channels;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client.Connection;

/// <summary>
/// What the public classes call: hands requests to the loop and turns completions into results and exceptions.
/// Thread-safe.
/// </summary>
internal sealed class ClientRuntime : IAsyncDisposable
{
    // Bounded by the number of open calls, the messages that a link may have unhandled, and one tick.
    private readonly Channel<LoopInput> _inbox =
        Channel.CreateUnbounded<LoopInput>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CoordinatorClientOptions _options;
    private readonly ClientLoop _loop;
    private readonly Task _running;
    private int _openCalls;

    public ClientRuntime(CoordinatorClientOptions options)
    {
        _options = options;
        Clock = new ClientClock(options.TimeProvider);
        _loop = new ClientLoop(options, Clock, _inbox);
        _running = Task.Run(_loop.RunAsync);
    }

    public ClientClock Clock { get; }

    public CoordinatorClientOptions Options => _options;

    public long? SessionId => _loop.SessionId;

    /// <returns>A completion that is an answer; all others become exceptions.</returns>
    public async Task<Completion> RunAsync(Operation operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // Refused here, before the inbox: a flood of calls must not pile up in it.
            if (Interlocked.Increment(ref _openCalls) > _options.OpenRequestsMax)
                throw TooMany();
            Completion completion = await SubmitAsync(operation, cancellationToken).ConfigureAwait(false);
            return completion switch
            {
                Completion.Cancelled => throw new OperationCanceledException(cancellationToken),
                Completion.Stopped => throw Disposed(),
                Completion.TimedOut(var message) => throw new CoordinatorTimeoutException(message),
                Completion.OutcomeUnknown(var message) => throw new CoordinatorOutcomeUnknownException(message),
                Completion.Refused { Code: ErrorCode.TooManyOpenRequests } => throw TooMany(),
                Completion.Refused(var code, var message) => throw new CoordinatorException(code, message),
                _ => completion,
            };
        }
        finally
        {
            Interlocked.Decrement(ref _openCalls);
        }
    }

    /// <summary>Ends when the release is confirmed, or needs or gets no confirmation.</summary>
    public Task ReleaseAsync(Holding holding) =>
        SubmitAsync(new ReleaseOperation(holding), CancellationToken.None);

    /// <inheritdoc cref="ReleaseAsync(Holding)"/>
    public Task ReleaseAsync(Lease lease) =>
        SubmitAsync(new ReleaseLeaseOperation(lease.Name, lease.Id, lease), CancellationToken.None);

    /// <summary>The loop tidies up after itself; this waits for it.</summary>
    public ValueTask DisposeAsync()
    {
        _inbox.Writer.TryWrite(new LoopInput(LoopInputKind.Shutdown));
        return new ValueTask(_running);
    }

    private async Task<Completion> SubmitAsync(Operation operation, CancellationToken cancellationToken)
    {
        PendingCall call = new(operation);
        if (!_inbox.Writer.TryWrite(new LoopInput(LoopInputKind.Submit, call)))
            return new Completion.Stopped();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            _ => _inbox.Writer.TryWrite(new LoopInput(LoopInputKind.Cancel, call)), null);
        return await call.Task.ConfigureAwait(false);
    }

    private TooManyOpenRequestsException TooMany() =>
        new($"This client has {_options.OpenRequestsMax} open requests already.");

    private static ObjectDisposedException Disposed() => new(nameof(CoordinatorClient));
}
