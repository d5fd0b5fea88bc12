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
    /// Pages of what <paramref name="watch"/> asks for, from any replica here, or the leader's silo where none serves, until
    /// one with an error, which is the last. Nothing waits here for a caller who does not ask for the next page. When nothing
    /// happens, a page without events says how far all has been told. A page is only read: others may be given the same one.
    /// </summary>
    /// <remarks>
    /// Once begun, a watch survives the loss of its replica and any time without a leader: what is known of it is the
    /// position in its next request. Only where no replica is to come back here, it ends when others were not reached for long.
    /// </remarks>
    /// <param name="abandoned">The caller no longer wants it: <see cref="OperationCanceledException"/>.</param>
    public virtual async IAsyncEnumerable<WatchPage> WatchAsync(
        Watch watch, [EnumeratorCancellation] CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(watch);
        var position = new WatchPosition(watch);
        // Watches are spread over the replicas; each stays where it is as long as it is served there.
        int turn = Interlocked.Increment(ref _watchesBegun);
        long? unservedSince = _time.GetTimestamp();
        while (true)
        {
            TaskCompletionSource changed = _changed;
            WatchPage? page = SeatToWatch(turn) switch
            {
                LeaderSeat.Here here => await NextPageAsync(here.Peer, position.Next(), abandoned),
                LeaderSeat.There there => await ForwardAsync(there.Silo, position.Next(), abandoned),
                _ => null,
            };
            if (page is null || IsWorthAnotherReplica(page.Error))
            {
                unservedSince ??= _time.GetTimestamp();
                if (WhyNotTaken(position, unservedSince.Value) is { } refusal)
                {
                    yield return refusal;
                    yield break;
                }
                turn++;
                await ChangedAsync(changed, abandoned);
                continue;
            }
            unservedSince = null;
            position.Advance(page);
            foreach (WatchPage part in WatchPageParts.Split(page))
                yield return part;
            if (page.Error != ErrorCode.Ok)
                yield break;
        }
    }

    /// <summary>The next page that another silo has asked for, from a replica here.</summary>
    private async Task<WatchPage> NextPageHereAsync(Watch watch, CancellationToken abandoned)
    {
        WatchPage? page = FindServing(Interlocked.Increment(ref _watchesBegun)) is { } peer
            ? await NextPageAsync(peer, watch, abandoned)
            : null;
        return page ?? new WatchPage { Position = NowhereYet(), Error = ErrorCode.NotLeader, Message = NoReplicaText };
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

    /// <summary>Null: nobody who would serve is here or reached.</summary>
    private LeaderSeat? SeatToWatch(int turn)
    {
        if (FindServing(turn) is { } peer)
            return new LeaderSeat.Here(peer);
        return _others?.LeadersSilo(LocalStatus()) is { } silo ? new LeaderSeat.There(silo) : null;
    }

    private PeerLoop? FindServing(int turn)
    {
        IReadOnlyList<PeerLoop> peers = _peers;
        for (int i = 0; i < peers.Count; i++)
        {
            PeerLoop peer = peers[(int)((uint)(turn + i) % (uint)peers.Count)];
            if (peer.Status.Service == ServiceState.Running)
                return peer;
        }
        return null;
    }

    /// <summary>The replica has stopped, or hears of no leader: the watch itself goes on.</summary>
    private static bool IsWorthAnotherReplica(ErrorCode code) => code
        is ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.Stopping or ErrorCode.Quarantined;

    /// <summary>Null: it is worth another try.</summary>
    private WatchPage? WhyNotTaken(WatchPosition position, long unservedSince)
    {
        IReadOnlyList<PeerLoop> peers = _peers;
        bool isGone = peers.All(peer => peer.Status.Service is ServiceState.Stopped or ServiceState.Quarantined);
        // Another silo has a replica; this one may get none for a long time.
        bool isElsewhere = isGone && _others is not null;
        bool isOver = _stopping.IsCancellationRequested || (isGone && !isElsewhere && peers.Count > 0);
        if (!isOver && ((position.HasBegun && !isElsewhere) || _time.GetElapsedTime(unservedSince) < _leaderTimeout))
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
