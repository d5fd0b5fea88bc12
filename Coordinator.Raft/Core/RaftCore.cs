using Coordinator.Raft.Log;
using Coordinator.Raft.Membership;
using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Core;

/// <summary>
/// The Raft state machine of one peer: term, vote, role, log and configuration, and how each message changes them.
/// One file for each idea. Invariant: term, commit index and applied index never go back; at most one vote a term.
/// </summary>
internal sealed partial class RaftCore
{
    private readonly RaftOptions _options;
    private readonly ElectionTimer _election;
    private readonly UncommittedSize _uncommitted;
    private readonly Action<string>? _trace;
    private readonly SeededRaftBug _planted = SeededRaftBugs.Planted;
    private ProgressTracker _tracker;

    public RaftCore(RaftOptions options)
    {
        foreach (string warning in options.Validate())
        {
            options.Trace?.Invoke(warning);
        }

        _options = options;
        _trace = options.Trace;
        Id = options.Id;
        Outbox = new Outbox(Id);
        _election = new ElectionTimer(options.ElectionTicks, SplitMix64.Mix(options.Seed) ^ (ulong)Id.Value);
        _uncommitted = new UncommittedSize(NoLimitIfZero(options.MaxUncommittedBytes));
        long maxApplying = options.MaxCommittedBytesPerReady == 0
            ? options.MaxMessageBytes
            : options.MaxCommittedBytesPerReady;
        Log = new RaftLog(options.Storage, Math.Max(1, maxApplying), ApplyRuleOf(options));
        _tracker = NewTracker();
        (HardState hardState, ConfState confState) = options.Storage.InitialState();
        SwitchTo(Restored(confState));
        Load(hardState);
        if (options.Applied > 0)
        {
            Log.AppliedTo(options.Applied, bytes: 0);
        }

        BecomeFollower(Term, PeerId.None);
        _trace?.Invoke(
            $"{Id} starts at term {Term}, commit {Log.Committed}, applied {Log.Applied}, last {Log.Last}, "
            + $"{_tracker.Configuration}");
    }

    public PeerId Id { get; }

    public Term Term { get; private set; }

    public PeerId Vote { get; private set; }

    public PeerId Leader { get; private set; }

    public RaftState State { get; private set; }

    public RaftLog Log { get; }

    public Outbox Outbox { get; }

    public Configuration Configuration => _tracker.Configuration;

    public SoftState SoftState => new(Leader, State);

    public HardState HardState => new(Term, Vote, Log.Committed);

    /// <summary>An entry of the present term is committed. Its term can't be zero on a leader.</summary>
    public bool CommittedInCurrentTerm => Log.TryGetTerm(Log.Committed, out Term term) && term == Term;

    public ElectionTimer ElectionTimer => _election;

    public bool IsLeaderAtRest => State == RaftState.Leader && CommittedInCurrentTerm && LeadTransferee.IsNone
        && !Configuration.IsJoint && _reads.IsEmpty && _readsBeforeFirstCommit.Count == 0
        && Log.Applied == Log.LastIndex && AllHaveAll();

    private bool AllHaveAll()
    {
        for (int i = 0; i < _tracker.Peers.Count && _planted != SeededRaftBug.RestsWithFollowerBehind; i++)
        {
            Progress progress = _tracker.Peers.At(i);
            bool isReplicating = _tracker.Peers.IdAt(i) == Id
                || (progress.State == ProgressState.Replicate && progress.Inflights.Count == 0);
            if (!isReplicating || progress.Match != Log.LastIndex)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A peer of the configuration, voter or learner.</summary>
    public bool Tracks(PeerId id) => _tracker.Peers.Contains(id);

    /// <summary>By ascending id; of use on a leader alone.</summary>
    public IReadOnlyList<PeerProgress> DescribeProgress()
    {
        PeerProgress[] progress = new PeerProgress[_tracker.Peers.Count];
        for (int i = 0; i < progress.Length; i++)
        {
            progress[i] = _tracker.Peers.At(i).ToStatus(_tracker.Peers.IdAt(i));
        }

        return progress;
    }

    private static ApplyRule ApplyRuleOf(RaftOptions options) =>
        !options.AsyncStorageWrites ? ApplyRule.WhenCommitted
        : options.ApplyBeforeOwnWrite ? ApplyRule.MembershipWhenStable
        : ApplyRule.WhenStable;

    private static long NoLimitIfZero(long limit) => limit == 0 ? long.MaxValue : limit;

    private ProgressTracker NewTracker() => new(_options.MaxInflightMessages, _options.MaxInflightBytes);

    private MembershipOutcome Restored(ConfState state) =>
        new MembershipChanger(_tracker, Log.LastIndex).Restore(state);

    private void Load(HardState state)
    {
        if (state.IsEmpty)
        {
            return;
        }

        Invariant.Require(
            state.Commit >= Log.Committed && state.Commit <= Log.LastIndex,
            $"{Id} stored commit {state.Commit}, which is not in [{Log.Committed}, {Log.LastIndex}]");
        Invariant.Require(
            state.Term >= Log.Last.Term, $"{Id} stored term {state.Term}, which is before its last entry, {Log.Last}");
        Log.CommitTo(state.Commit);
        Term = state.Term;
        Vote = state.Vote;
    }
}
