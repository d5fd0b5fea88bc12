using System.Runtime.CompilerServices;
using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Grains;

public partial class GroupGateway
{
    private const string NoReplicaText = "No replica here could take the watch up in time.";
    private static readonly TimeSpan WatchRetry = TimeSpan.FromMilliseconds(50);
    private int _watchesBegun;

    /// <summary>
    /// Pages of what <paramref name="watch"/> asks for, from any replica here, until one with an error, which is the last.
    /// Nothing waits here for a caller who does not ask for the next page. When nothing happens, a page without events
    /// says how far all has been told. A page is only read: others may be given the same one.
    /// </summary>
    /// <remarks>
    /// Once begun, a watch survives the loss of its replica and any time without a leader: what is known of it is the
    /// position in its next request.
    /// </remarks>
    /// <param name="abandoned">The caller no longer wants it: <see cref="OperationCanceledException"/>.</param>
    public virtual async IAsyncEnumerable<WatchPage> WatchAsync(
        Watch watch, [EnumeratorCancellation] CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(watch);
        var position = new WatchPosition(watch);
        // Watches are spread over the replicas; each stays where it is as long as it is served there.
        int seat = Interlocked.Increment(ref _watchesBegun);
        long startedAt = _time.GetTimestamp();
        while (true)
        {
            TaskCompletionSource changed = _changed;
            PeerLoop? peer = FindServing(seat);
            WatchPage? page = peer is null ? null : await NextPageAsync(peer, position.Next(), abandoned);
            if (page is null || IsWorthAnotherReplica(page.Error))
            {
                if (WhyNotTaken(position, startedAt) is { } refusal)
                {
                    yield return refusal;
                    yield break;
                }
                seat++;
                await ChangedAsync(changed, abandoned);
                continue;
            }
            position.Advance(page);
            foreach (WatchPage part in WatchPageParts.Split(page))
                yield return part;
            if (page.Error != ErrorCode.Ok)
                yield break;
        }
    }

    /// <summary>Null: the peer's inbox is full.</summary>
    private static async Task<WatchPage?> NextPageAsync(PeerLoop peer, Watch watch, CancellationToken abandoned)
    {
        var future = new WatchFuture(watch);
        if (!peer.TryPost(future))
            return null;
        try
        {
            return await future.Page.WaitAsync(abandoned);
        }
        catch (OperationCanceledException)
        {
            peer.Post(new PeerInput.ForgetWatch(future));
            throw;
        }
    }

    private PeerLoop? FindServing(int seat)
    {
        IReadOnlyList<PeerLoop> peers = _peers;
        for (int i = 0; i < peers.Count; i++)
        {
            PeerLoop peer = peers[(int)((uint)(seat + i) % (uint)peers.Count)];
            if (peer.Status.Service == ServiceState.Running)
                return peer;
        }
        return null;
    }

    /// <summary>The replica has stopped, or hears of no leader: the watch itself goes on.</summary>
    private static bool IsWorthAnotherReplica(ErrorCode code) => code
        is ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.Stopping or ErrorCode.Quarantined;

    /// <summary>Null: it is worth another try.</summary>
    private WatchPage? WhyNotTaken(WatchPosition position, long startedAt)
    {
        IReadOnlyList<PeerLoop> peers = _peers;
        bool isOver = _stopping.IsCancellationRequested || (peers.Count > 0
            && peers.All(peer => peer.Status.Service is ServiceState.Stopped or ServiceState.Quarantined));
        // Another silo has a replica; this one may get none for a long time.
        bool isElsewhere = peers.Count == 0 && _others is not null;
        if (!isOver && ((position.HasBegun && !isElsewhere) || _time.GetElapsedTime(startedAt) < _leaderTimeout))
            return null;
        ErrorCode code = isOver ? ErrorCode.Stopping : isElsewhere ? ErrorCode.NotLeader : ErrorCode.NoQuorum;
        return new WatchPage { Position = NowhereYet(), Error = code, Message = NoReplicaText };
    }

    private async Task ChangedAsync(TaskCompletionSource changed, CancellationToken abandoned)
    {
        try
        {
            await changed.Task.WaitAsync(WatchRetry, _time, abandoned);
        }
        catch (TimeoutException)
        {
            // Nothing has; a replica may have heard from its leader all the same.
        }
    }
}
