using Coordinator.Contracts;

namespace Coordinator.Grains;

public partial class GroupGateway
{
    private volatile Func<ClusterRequest, CancellationToken, Task<ClusterAnswer>>? _administrate;

    /// <summary>Describes or changes the peers of the group; never an exception for what is refused.</summary>
    /// <param name="abandoned">
    /// The caller no longer waits: <see cref="OperationCanceledException"/>. What was begun is finished, or tidied up.
    /// </param>
    public virtual Task<ClusterAnswer> AdministerAsync(ClusterRequest request, CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(request);
        return AdministerAsync(request, NewErrand(), abandoned);
    }

    internal void Attach(Func<ClusterRequest, CancellationToken, Task<ClusterAnswer>> administrate) =>
        _administrate = administrate;

    private async Task<ClusterAnswer> AdministerAsync(ClusterRequest request, Errand errand, CancellationToken abandoned)
    {
        if (request.Group != _group)
        {
            return new ClusterAnswer
            {
                Error = ErrorCode.InvalidRequest,
                Message = $"There is no group {request.Group}; there is group {_group}.",
            };
        }
        // What a group is, each silo with a peer of it says for itself; changes are the leader's.
        if (_others is null || (request.RequestCase == ClusterRequest.RequestOneofCase.Describe && _peers.Count > 0))
            return await AdministerHereAsync(request, abandoned);
        while (true)
        {
            LeaderSeat? seat = await FindLeaderAsync(errand, abandoned);
            ClusterAnswer answer = seat is LeaderSeat.There there
                ? await ForwardAsync(there.Silo, request, abandoned)
                : await AdministerHereAsync(request, abandoned);
            if (seat is null || errand.IsForwarded || !IsWorthAnotherLeader(answer.Error))
                return answer;
            await LeaderMovedAsync(seat, abandoned);
        }
    }

    private async Task<ClusterAnswer> AdministerHereAsync(ClusterRequest request, CancellationToken abandoned)
    {
        return _administrate is { } administrate && !_stopping.IsCancellationRequested
            ? await administrate(request, abandoned)
            : new ClusterAnswer { Error = NoLeaderCode, Message = ErrorText.Of(NoLeaderCode) };
    }

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
