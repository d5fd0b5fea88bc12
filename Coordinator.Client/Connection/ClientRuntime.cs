using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client.Connection;

/// <summary>
/// The client of one group: hands requests to the loop and turns completions into results and exceptions. Thread-safe.
/// </summary>
internal sealed class ClientRuntime : IAsyncDisposable
{
    // Bounded by the number of open calls, the items that a stream may have waiting, the messages that a link may have
    // unhandled, and one tick.
    private readonly Channel<LoopInput> _inbox =
        Channel.CreateUnbounded<LoopInput>(new UnboundedChannelOptions { SingleReader = true });
    private readonly int _openCallsMax;
    private readonly Task _running;
    private int _openCalls;

    public ClientRuntime(ClientGroups groups, int group)
    {
        _openCallsMax = groups.Options.OpenRequestsMax;
        Loop = new ClientLoop(groups, group, groups.Clock, _inbox);
        _running = Task.Run(Loop.RunAsync);
    }

    public ClientLoop Loop { get; }

    public long? SessionId => Loop.SessionId;

    /// <returns>A completion that is an answer; all others become exceptions.</returns>
    public async Task<Completion> RunAsync(Operation operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // Refused here, before the inbox: a flood of calls must not pile up in it.
            if (Interlocked.Increment(ref _openCalls) > _openCallsMax)
                throw TooMany();
            Completion completion = await SubmitAsync(operation, cancellationToken).ConfigureAwait(false);
            return Problem(completion, cancellationToken) is { } problem ? throw problem : completion;
        }
        finally
        {
            Interlocked.Decrement(ref _openCalls);
        }
    }

    /// <summary>
    /// What the stream delivers, until its caller cancels or the cluster ends it: then with an exception, after
    /// everything that was delivered before. Goes on by itself over lost connections.
    /// </summary>
    public async IAsyncEnumerable<StreamItem> StreamAsync(
        StreamOperation stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StreamCall call = new(stream);
        try
        {
            if (Interlocked.Increment(ref _openCalls) > _openCallsMax)
                throw TooMany();
            if (!_inbox.Writer.TryWrite(new LoopInput(LoopInputKind.Submit, call)))
                throw Disposed();
            while (await call.Items.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (call.Items.TryRead(out StreamItem? item))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return item;
                    // Only when the consumer is back for the next one is it done with this one.
                    Post(call, new LoopInput(LoopInputKind.Taken, call, Items: 1, Bytes: item.Bytes));
                }
            }
            throw Problem(await call.Task.ConfigureAwait(false), cancellationToken)!;
        }
        finally
        {
            Post(call, new LoopInput(LoopInputKind.Cancel, call));
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
            _ => Post(call, new LoopInput(LoopInputKind.Cancel, call)), null);
        return await call.Task.ConfigureAwait(false);
    }

    private void Post(PendingCall call, LoopInput input) => (call.PassedOnTo ?? Loop).Post(input);

    /// <summary>Null: no problem but an answer.</summary>
    private Exception? Problem(Completion completion, CancellationToken cancellationToken) => completion switch
    {
        Completion.Cancelled => new OperationCanceledException(cancellationToken),
        Completion.Stopped => Disposed(),
        Completion.TimedOut(var message) => new CoordinatorTimeoutException(message),
        Completion.OutcomeUnknown(var message) => new CoordinatorOutcomeUnknownException(message),
        Completion.Refused { Code: ErrorCode.TooManyOpenRequests } => TooMany(),
        Completion.Refused(var code, var message) => Refusal.Of(code, message),
        Completion.StreamEnded(var code, var message, var compactedRevision) =>
            Refusal.Of(code, message, compactedRevision),
        _ => null,
    };

    private TooManyOpenRequestsException TooMany() =>
        new($"This client has {_openCallsMax} open requests already.");

    private static ObjectDisposedException Disposed() => new(nameof(CoordinatorClient));
}
