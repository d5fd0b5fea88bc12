using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>
/// The door to one group in this process, used by every interface: finds the leader, keeps requests open across a
/// change of leader, ends waits. Thread-safe. Expected refusals are answers with an error code, never exceptions.
/// Invariant: a command that may have been proposed is never proposed again here (rule 15).
/// </summary>
public partial class GroupGateway : IAsyncDisposable
{
    private readonly int _group;
    private readonly TimeSpan _leaderTimeout;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly SessionWatch _sessions;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _background = [];
    private volatile IReadOnlyList<PeerLoop> _peers = [];
    private long _changes;
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How this silo knows what the status says of faults and of its database; null: it doesn't.</summary>
    internal Func<Durability?>? Durability { get; set; }

    internal Func<Storage.DatabaseHealth>? Database { get; set; }

    /// <summary>For a stand-in that answers from memory, so that the interfaces can be tested without a group.</summary>
    protected GroupGateway(int group = 0)
    {
        _group = group;
        _sessions = new SessionWatch(group);
    }

    internal GroupGateway(int group, TimeSpan leaderTimeout, TimeProvider time)
        : this(group)
    {
        _leaderTimeout = leaderTimeout;
        _time = time;
    }

    /// <summary>The group's number.</summary>
    public int Group => _group;

    /// <summary>Counts what may have made another peer the leader, or known here for it.</summary>
    internal long Changes => Interlocked.Read(ref _changes);

    /// <summary>Whether a linearizable request would be served now: a leader with a quorum that has committed in its term.</summary>
    public virtual bool IsReady => _peers.Any(peer => peer.Status.IsReady) || IsLeaderServing();

    /// <summary>
    /// Proposes <paramref name="command"/> and answers with what came of it; never <see cref="Outcome.Queued"/>: an
    /// acquire that waits is answered when the wait ends.
    /// </summary>
    /// <param name="abandoned">
    /// The caller no longer waits: the task ends with <see cref="OperationCanceledException"/>. The command itself
    /// stands; but an acquire without a request id, which nobody could ask for again, is cancelled in the log, and
    /// released if the grant came first (rule 16).
    /// </param>
    public virtual Task<CommandAnswer> ExecuteAsync(Command command, CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(command);
        return ExecuteAsync(command, NewErrand(), abandoned);
    }

    /// <summary>Linearizable unless the query says serializable.</summary>
    public virtual Task<QueryAnswer> QueryAsync(Query query, CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(query);
        return QueryAsync(query, NewErrand(), abandoned);
    }

    /// <summary>Joins the next gathered keep-alive entry; answered when that is applied.</summary>
    public virtual Task<KeepAliveAnswer> KeepAliveAsync(long sessionId, CancellationToken abandoned) =>
        KeepAliveAsync(sessionId, NewErrand(), abandoned);

    /// <summary>
    /// Calls <paramref name="ended"/> once when the session ends, at once if it already has. Dispose to stop listening.
    /// </summary>
    public virtual IDisposable OnSessionEnded(long sessionId, Action<SessionEnded> ended)
    {
        SessionWatch.Listener listener = _sessions.Add(sessionId, ended);
        RunInBackground(EndIfGoneAsync(listener));
        return listener;
    }

    /// <summary>What is known here of the peers and the group, for the status page.</summary>
    public virtual GroupStatus GetStatus() =>
        GroupDescriptions.StatusOf(GroupPicture.Of(_group, _peers, _others), _others, Notice) with
        {
            Durability = Durability?.Invoke(),
            Database = Database?.Invoke(),
        };

    /// <summary>Ends the background work; requests after this are refused.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        LeadershipChanged();
        await Task.WhenAll(_background.Keys);
        GC.SuppressFinalize(this);
    }

    internal void Attach(IReadOnlyList<PeerLoop> peers)
    {
        _peers = peers;
        LeadershipChanged();
    }

    internal void SessionEnded(EndedSession session) => _sessions.Ended(session);

    internal void LeadershipChanged()
    {
        Interlocked.Increment(ref _changes);
        Interlocked.Exchange(
            ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>It may have ended before anybody listened.</summary>
    private async Task EndIfGoneAsync(SessionWatch.Listener listener)
    {
        var query = new Query { GetSession = new GetSession { SessionId = listener.SessionId } };
        try
        {
            QueryAnswer answer = await QueryAsync(query, _stopping.Token);
            if (answer.Error == ErrorCode.SessionNotFound)
                _sessions.Ended(listener.SessionId, "not found");
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Whoever listens is about to be told that the silo stops.
        }
    }

    private Errand NewErrand() => new(_time.GetTimestamp(), IsForwarded: false);

    private void RunInBackground(Task work)
    {
        if (work.IsCompletedSuccessfully)
            return;
        _background.TryAdd(work, true);
        work.ContinueWith(
            done => _background.TryRemove(done, out _), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
