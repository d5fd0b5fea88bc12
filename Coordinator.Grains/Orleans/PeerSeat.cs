using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// One stay of a peer in this silo, from its grain's activation to its deactivation: waits out its tombstone, takes its
/// epoch, however long that takes, and runs its loop. Invariant: a loop runs only on an activation that has committed
/// (rule 2), and one that was fenced off leaves a tombstone and ends the stay.
/// </summary>
internal sealed class PeerSeat : IAsyncDisposable
{
    private readonly OrleansGroup _group;
    private readonly Action<string> _leave;
    private readonly Action<SiloAddress> _move;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _beginning;
    private volatile PeerLoop? _loop;
    private long _ranSince;
    private int _isOver;

    /// <param name="leave">Asks for the end of the stay; must not block.</param>
    /// <param name="move">As <paramref name="leave"/>, with the next stay on that silo, if it can be.</param>
    public PeerSeat(OrleansGroup group, PeerKey key, Action<string> leave, Action<SiloAddress> move, ILogger log)
    {
        _group = group;
        _leave = leave;
        _move = move;
        _log = log;
        Key = key;
        // Nobody's call: it must not go on in the name of the one that happened to make the grain active.
        using AsyncFlowControl? flow = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        _beginning = Task.Run(BeginAsync);
    }

    public PeerKey Key { get; }

    public PeerLoop? Loop => _loop;

    public bool Runs => _loop is not null;

    /// <summary>False: there is no inbox now, or it is full; the message is lost.</summary>
    public bool TryPost(Envelope envelope) => _loop?.TryPost(envelope) ?? false;

    /// <summary>Role, leader or service of the peer has changed; does not block.</summary>
    public void Changed()
    {
        if (_loop is { Status: { Service: ServiceState.Stopped } status }
            && status.Detail is not (PeerLoop.OrderlyStop or PeerLoop.HasLeft))
            GiveUp(status.Detail ?? "It has stopped.");
    }

    /// <summary>
    /// Ends the stay. The loop first: Orleans ends no activation while calls of it are open, and a wait for a lock is one
    /// that only the loop's end answers.
    /// </summary>
    public async Task LeaveAsync(string why)
    {
        await DisposeAsync();
        _leave(why);
    }

    /// <summary>
    /// As <see cref="LeaveAsync"/>, for another silo. By a migration: where a stay merely ends, the next message of whoever
    /// has not heard of it makes the peer active in the same silo again.
    /// </summary>
    public async Task MoveAsync(SiloAddress to)
    {
        await DisposeAsync();
        _move(to);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _beginning;
        if (Interlocked.Exchange(ref _loop, null) is { } loop)
        {
            _group.Attach(this);
            await loop.DisposeAsync();
        }
        _group.Left(this);
    }

    private async Task BeginAsync()
    {
        try
        {
            if (_group.Tombstones.LeftOf(Key) is { } left && left > TimeSpan.Zero)
                await Task.Delay(left, _group.Time, _stopping.Token);
            PeerDatabase database = await _group.OpenDatabaseAsync(Key.Peer, _stopping.Token);
            (ActivatedPeer activated, PeerAddition? addition) = await _group.LoadAsync(Key, database, _stopping.Token);
            _ranSince = _group.Time.GetTimestamp();
            _loop = _group.Run(this, activated, addition, database);
            _group.Attach(this);
            // It may have stopped before anybody could be told.
            Changed();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The stay ends before it had a peer.
        }
        catch (GroupStartException) when (_group.HasLeft(Key.Peer))
        {
            // A message that was late has made it active.
            BeginLeaving(PeerLoop.HasLeft);
        }
        catch (Exception e)
        {
            OrleansLog.PeerNotActivated(_log, Key.ToString(), e);
            GiveUp(e.Message);
        }
    }

    private void GiveUp(string why)
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
            return;
        TimeSpan ran = _ranSince == 0 ? TimeSpan.Zero : _group.Time.GetElapsedTime(_ranSince);
        OrleansLog.Tombstone(_log, Key.ToString(), _group.Tombstones.Lay(Key, ran), why);
        BeginLeaving(why);
    }

    /// <summary>Not awaited: this is the loop's own turn, or the beginning, which its end waits for.</summary>
    private void BeginLeaving(string why) => _ = Task.Run(() => LeaveAsync(why));
}
