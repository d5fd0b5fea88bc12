namespace Coordinator.Raft.Tracker;

/// <summary>
/// What a leader knows of one peer's log, and what it has sent to it.
/// Invariant: 0 &lt;= Match &lt; Next; the entries between are in flight. In Snapshot, Next is PendingSnapshot + 1.
/// </summary>
internal sealed class Progress(long match, long next, Inflights inflights)
{
    // The highest commit index on its way to the peer. Goes back when what was sent is likely lost.
    private long _sentCommit;

    /// <summary>The peer's log is known to match up to here.</summary>
    public long Match { get; private set; } = match;

    /// <summary>The next entry to send.</summary>
    public long Next { get; private set; } = next;

    public ProgressState State { get; private set; }

    /// <summary>The index of the snapshot on its way; 0: none.</summary>
    public long PendingSnapshot { get; private set; }

    /// <summary>The peer has answered since the last check for a quorum. Always true of the leader itself.</summary>
    public bool RecentActive { get; set; }

    /// <summary>
    /// One append is out and another waits for a sign of life: while probing, and while too much is in flight.
    /// </summary>
    public bool FlowPaused { get; set; }

    public Inflights Inflights { get; } = inflights;

    public bool IsLearner { get; set; }

    /// <summary>Nothing may be sent now.</summary>
    public bool IsPaused => State == ProgressState.Snapshot || FlowPaused;

    /// <summary>A copy for a configuration that may be refused; what is in flight stays shared.</summary>
    public Progress Clone() => (Progress)MemberwiseClone();

    public void BecomeProbe()
    {
        // A snapshot that has been delivered is where the peer's log is expected to end.
        long next = State == ProgressState.Snapshot ? Math.Max(Match, PendingSnapshot) + 1 : Match + 1;
        Enter(ProgressState.Probe);
        Next = next;
        _sentCommit = Math.Min(_sentCommit, Next - 1);
    }

    public void BecomeReplicate()
    {
        Enter(ProgressState.Replicate);
        Next = Match + 1;
    }

    public void BecomeSnapshot(long index)
    {
        Enter(ProgressState.Snapshot);
        PendingSnapshot = index;
        Next = index + 1;
        _sentCommit = index;
    }

    /// <summary>The snapshot on its way was lost: nothing is known beyond Match.</summary>
    public void AbortSnapshot() => PendingSnapshot = 0;

    /// <summary>An append was sent. Its entries are taken to arrive; if they don't, a rejection will tell.</summary>
    public void SentAppend(int entries, long bytes, long commit)
    {
        Invariant.Require(State != ProgressState.Snapshot, $"append sent while snapshot {PendingSnapshot} is pending");
        if (State == ProgressState.Replicate)
        {
            if (entries > 0)
            {
                Next += entries;
                Inflights.Add(Next - 1, bytes);
            }

            FlowPaused = Inflights.IsFull;
        }
        else if (entries > 0)
        {
            FlowPaused = true;
        }

        _sentCommit = commit;
    }

    public void SentCommit(long commit) => _sentCommit = commit;

    /// <summary>
    /// A message with this commit index would tell the peer something: no message on its way raises its commit index
    /// to the last entry sent.
    /// </summary>
    public bool CanBumpCommit(long index) => index > _sentCommit && _sentCommit < Next - 1;

    /// <summary>The peer acknowledged an index; false if that is no news.</summary>
    public bool TryUpdate(long index)
    {
        if (index <= Match)
        {
            return false;
        }

        Match = index;
        Next = Math.Max(Next, index + 1);
        FlowPaused = false;
        Inflights.Widen();
        return true;
    }

    /// <summary>
    /// The peer rejected an append after <paramref name="rejected"/>; its log may match at
    /// <paramref name="matchHint"/>. False if the rejection is an old one.
    /// </summary>
    public bool TryDecrease(long rejected, long matchHint)
    {
        if (State == ProgressState.Replicate)
        {
            if (rejected <= Match)
            {
                return false;
            }

            Next = Match + 1;
            _sentCommit = Math.Min(_sentCommit, Next - 1);
            Inflights.Narrow();
            return true;
        }

        // One probe at a time is out: only its own rejection counts.
        if (Next - 1 != rejected)
        {
            return false;
        }

        Next = Math.Max(Math.Min(rejected, matchHint + 1), Match + 1);
        _sentCommit = Math.Min(_sentCommit, Next - 1);
        FlowPaused = false;
        return true;
    }

    public PeerProgress ToStatus(PeerId peer) => new(
        peer,
        State,
        Match,
        Next,
        PendingSnapshot,
        IsLearner,
        RecentActive,
        IsPaused,
        Inflights.Count,
        Inflights.IsFull);

    private void Enter(ProgressState state)
    {
        FlowPaused = false;
        PendingSnapshot = 0;
        State = state;
        Inflights.Clear();
    }
}
