using Coordinator.Contracts;

namespace Coordinator.Grains;

/// <summary>
/// The door to one group in this process, used by every interface: finds the leader, keeps requests open across a
/// change of leader, ends waits. Thread-safe. Expected refusals are answers with an error code, never exceptions.
/// </summary>
public class GroupGateway
{
    /// <summary>For a stand-in that answers from memory, so that the interfaces can be tested without a group.</summary>
    protected GroupGateway()
    {
    }

    /// <summary>Whether a linearizable request would be served now: a leader with a quorum that has committed in its term.</summary>
    public virtual bool IsReady => throw new NotImplementedException();

    /// <summary>
    /// Proposes <paramref name="command"/> and answers with what came of it; never <see cref="Outcome.Queued"/>: an
    /// acquire that waits is answered when the wait ends.
    /// </summary>
    /// <param name="abandoned">
    /// The caller no longer waits: the task ends with <see cref="OperationCanceledException"/>. The command itself
    /// stands; but an acquire without a request id, which nobody could ask for again, is cancelled in the log, and
    /// released if the grant came first (rule 16).
    /// </param>
    public virtual Task<CommandAnswer> ExecuteAsync(Command command, CancellationToken abandoned) =>
        throw new NotImplementedException();

    /// <summary>Linearizable unless the query says serializable.</summary>
    public virtual Task<QueryAnswer> QueryAsync(Query query, CancellationToken abandoned) => throw new NotImplementedException();

    /// <summary>Joins the next gathered keep-alive entry; answered when that is applied.</summary>
    public virtual Task<KeepAliveAnswer> KeepAliveAsync(long sessionId, CancellationToken abandoned) =>
        throw new NotImplementedException();

    /// <summary>
    /// Calls <paramref name="ended"/> once when the session ends, at once if it already has. Dispose to stop listening.
    /// </summary>
    public virtual IDisposable OnSessionEnded(long sessionId, Action<SessionEnded> ended) => throw new NotImplementedException();

    /// <summary>What every peer here knows of itself and the group, for the status page.</summary>
    public virtual GroupStatus GetStatus() => throw new NotImplementedException();
}

/// <param name="LeaderId">0: none known.</param>
public sealed record GroupStatus(
    int Group, long LeaderId, long Term, long CommitIndex, long Revision, int Sessions, IReadOnlyList<PeerStatus> Peers);

/// <param name="State">"leader", "follower", "candidate", "learner", "suspended", "quarantined", "stopped".</param>
/// <param name="Detail">Why, when the state is one of the last three.</param>
public sealed record PeerStatus(
    long PeerId, string State, long Epoch, long Term, long LastIndex, long CommitIndex, long AppliedIndex,
    long SnapshotIndex, string? Detail);
