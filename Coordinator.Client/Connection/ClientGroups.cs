using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client.Connection;

/// <summary>
/// What the public classes call: one runtime for each group that is used, made at the first need, so that each follows
/// its own group's leader and has a session and positions of its own. Until the cluster has said how many groups it has,
/// all goes to the first one's, which passes on what is for others. Thread-safe.
/// </summary>
internal sealed class ClientGroups : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private ClientRuntime?[] _runtimes;
    private int _count;
    private int? _only;
    private bool _isDisposed;

    /// <param name="count">0: not known yet.</param>
    public ClientGroups(CoordinatorClientOptions options, int count = 0)
    {
        Options = options;
        Clock = new ClientClock(options.TimeProvider);
        _runtimes = new ClientRuntime?[Math.Max(count, 1)];
        _count = count;
    }

    public CoordinatorClientOptions Options { get; }

    public ClientClock Clock { get; }

    /// <summary>How many the cluster has; 0: not known yet.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Waits for a silo to say so, as long as any request would.</summary>
    public async Task<int> CountAsync(CancellationToken cancellationToken)
    {
        if (Count is > 0 and var known)
            return known;
        Completion completion =
            await RunOnAnyAsync(new GreetOperation(), cancellationToken).ConfigureAwait(false);
        return ((Completion.Greeted)completion).Groups;
    }

    /// <summary>The group of all that is used here from now on.</summary>
    public void KeepTo(int group) => _only = group;

    /// <summary>Its session; null: there is none, or the group is not known yet.</summary>
    public long? SessionIdOf(Scope scope) =>
        scope.In(Math.Max(Count, 1)) is { } group && group < _runtimes.Length ? _runtimes[group]?.SessionId : null;

    /// <summary>Of what was granted, by whom else it is held. Once something is, the groups are known.</summary>
    public ClientRuntime Of(string name) => At(GroupOf(Scope.Of(name), Count));

    /// <returns>A completion that is an answer; all others become exceptions.</returns>
    public Task<Completion> RunAsync(Operation operation, Scope scope, CancellationToken cancellationToken) =>
        Route(operation, scope).RunAsync(operation, cancellationToken);

    /// <summary>Of what names its group itself, so that any connection will do.</summary>
    public Task<Completion> RunOnAnyAsync(Operation operation, CancellationToken cancellationToken) =>
        At(0).RunAsync(operation, cancellationToken);

    /// <inheritdoc cref="ClientRuntime.StreamAsync"/>
    public IAsyncEnumerable<StreamItem> StreamAsync(
        StreamOperation stream, Scope scope, CancellationToken cancellationToken) =>
        Route(stream, scope).StreamAsync(stream, cancellationToken);

    /// <summary>Null after the client's end.</summary>
    public ClientRuntime? Find(int group)
    {
        ClientRuntime?[] runtimes = Volatile.Read(ref _runtimes);
        return Volatile.Read(ref runtimes[group]) ?? Make(group);
    }

    /// <summary>The first Welcome has come; every later one says the same.</summary>
    public void Learn(int count)
    {
        lock (_gate)
        {
            if (_count != 0)
                return;
            ClientRuntime?[] runtimes = new ClientRuntime?[count];
            runtimes[0] = _runtimes[0];
            Volatile.Write(ref _runtimes, runtimes);
            Volatile.Write(ref _count, count);
        }
    }

    public async ValueTask DisposeAsync()
    {
        ClientRuntime?[] runtimes;
        lock (_gate)
        {
            _isDisposed = true;
            runtimes = _runtimes;
        }
        await Task.WhenAll(runtimes.OfType<ClientRuntime>().Select(runtime => runtime.DisposeAsync().AsTask()))
            .ConfigureAwait(false);
    }

    private ClientRuntime Route(Operation operation, Scope scope)
    {
        int count = Count;
        if (count != 0)
            return At(GroupOf(scope, count));
        operation.Scope = scope;
        return At(0);
    }

    private int GroupOf(Scope scope, int count)
    {
        if (scope.In(count) is not { } group)
        {
            (ErrorCode code, string message) = scope.Refusal(count);
            throw Refusal.Of(code, message);
        }
        return _only is not { } only || only == group
            ? group
            : throw Refusal.Of(ErrorCode.SpansGroups,
                $"The session is in group {only}, and what is asked for is in group {group}: create a session for its namespace.");
    }

    private ClientRuntime At(int group) =>
        Find(group) ?? throw new ObjectDisposedException(nameof(CoordinatorClient));

    private ClientRuntime? Make(int group)
    {
        lock (_gate)
        {
            if (_isDisposed)
                return _runtimes[group];
            // The runtime is nobody's request: it must not go on in the name of the call that happened to be the first.
            using AsyncFlowControl? flow = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
            return _runtimes[group] ??= new ClientRuntime(this, group);
        }
    }
}
