using Coordinator.Contracts;

namespace Coordinator.Grains;

public partial class GroupGateway
{
    private volatile PeerAdministrator? _administrator;

    /// <summary>Describes or changes the peers of the group; never an exception for what is refused.</summary>
    /// <param name="abandoned">
    /// The caller no longer waits: <see cref="OperationCanceledException"/>. What was begun is finished, or tidied up.
    /// </param>
    public virtual Task<ClusterAnswer> AdministerAsync(ClusterRequest request, CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Group != _group)
        {
            return Task.FromResult(new ClusterAnswer
            {
                Error = ErrorCode.InvalidRequest,
                Message = $"There is no group {request.Group}; there is group {_group}.",
            });
        }
        return _administrator is { } administrator && !_stopping.IsCancellationRequested
            ? administrator.ExecuteAsync(request, abandoned)
            : Task.FromResult(new ClusterAnswer { Error = NoLeaderCode, Message = ErrorText.Of(NoLeaderCode) });
    }

    internal void Attach(PeerAdministrator administrator) => _administrator = administrator;

    /// <summary>Ends when another peer leads, or may; or after <paramref name="longest"/>.</summary>
    internal async Task WaitForChangeAsync(Func<bool> isThere, TimeSpan longest, CancellationToken cancellationToken)
    {
        TaskCompletionSource changed = _changed;
        if (isThere())
            return;
        try
        {
            await changed.Task.WaitAsync(longest, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Whoever waits looks for itself what is so now.
        }
    }
}
