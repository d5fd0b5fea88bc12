using Coordinator.Raft.Core;

namespace Coordinator.Raft;

/// <summary>
/// One peer of a Raft group, a synchronous function of its inputs: each call changes the state and piles up work,
/// <see cref="Ready"/> hands that out. One thread. Invariant: the same options, storage and calls give the same output.
/// </summary>
public sealed partial class RawNode
{
    private const long SliceBytes = 1024 * 1024;

    private readonly RaftCore _core;
    private readonly bool _async;

    /// <summary>A follower, with what its storage holds.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="RaftInvariantException">The storage contradicts itself.</exception>
    public RawNode(RaftOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _core = new RaftCore(options);
        _async = options.AsyncStorageWrites;
        _lastSoftState = _core.SoftState;
        _lastHardState = _core.HardState;
    }

    public PeerId Id => _core.Id;

    public Term Term => _core.Term;

    /// <summary>Who this peer has voted for in this term.</summary>
    public PeerId Vote => _core.Vote;

    /// <summary>The leader of this term, as far as known.</summary>
    public PeerId Leader => _core.Leader;

    public RaftState State => _core.State;

    public bool IsLeader => _core.State == RaftState.Leader;

    /// <summary>The term of an entry of this log, written or not; null outside [FirstIndex - 1, LastIndex].</summary>
    public Term? TermAt(long index) => _core.Log.TryGetTerm(index, out Term term) ? term : null;

    /// <summary>Entries of this log, written or not, from <paramref name="lo"/> until before <paramref name="hi"/>; as
    /// many as are at hand in one run, and at least one.</summary>
    public EntrySlice Entries(long lo, long hi) => _core.Log.Slice(lo, hi, SliceBytes);

    public long CommitIndex => _core.Log.Committed;

    public long AppliedIndex => _core.Log.Applied;

    public long FirstIndex => _core.Log.FirstIndex;

    public long LastIndex => _core.Log.LastIndex;

    public Term LastTerm => _core.Log.Last.Term;

    /// <summary>An entry of the present term is committed; until then a leader doesn't know what else is.</summary>
    public bool CommittedInCurrentTerm => _core.CommittedInCurrentTerm;

    /// <summary>Who leadership is being handed to; none: nobody.</summary>
    public PeerId LeadTransferee => _core.LeadTransferee;

    public Configuration Configuration => _core.Configuration;

    internal ElectionTimer ElectionTimer => _core.ElectionTimer;

    /// <summary>One tick of time has passed.</summary>
    public void Tick() => _core.Tick();

    /// <summary>
    /// To be called before anything else after a time without ticks that all peers had agreed on: the election time-out
    /// and the check for a quorum begin anew.
    /// </summary>
    public void Wake() => _core.Wake();

    /// <summary>
    /// This leader has nothing to tell anybody: every peer's log is known to match the own to its end, all of it is
    /// committed and applied, and neither a read, a transfer nor a joint configuration is under way.
    /// </summary>
    public bool IsLeaderAtRest => _core.IsLeaderAtRest && !HasReady;

    /// <summary>Starts an election, unless this peer leads or may not.</summary>
    public void Campaign() => _core.Step(new Message { Type = MessageType.Hup, From = Id });

    /// <summary>Appends an entry, or sends it to the leader.</summary>
    /// <param name="stamp">Goes beside the payload, for the application's clock.</param>
    public ProposalResult Propose(ReadOnlyMemory<byte> data, long stamp = 0) =>
        _core.Propose([new Proposal(data, stamp)]);

    /// <summary>Appends entries, all or none, in one message to each follower as far as the limits allow.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public ProposalResult Propose(ReadOnlySpan<Proposal> proposals) => proposals.IsEmpty
        ? throw new ArgumentException("Nothing to propose: the batch is empty.", nameof(proposals))
        : _core.Propose(proposals);

    /// <summary>
    /// Puts a membership change in the log. The leader turns it into an empty entry if another may be under way, or it
    /// doesn't fit the configuration; see <see cref="RaftOptions.DisableConfChangeValidation"/>.
    /// </summary>
    public ProposalResult ProposeConfChange(ConfChangeV2 change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return _core.Propose(EntryType.ConfChangeV2, change.Encode());
    }

    /// <inheritdoc cref="ProposeConfChange(ConfChangeV2)"/>
    public ProposalResult ProposeConfChange(ConfChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return _core.Propose(EntryType.ConfChange, change.Encode());
    }

    /// <summary>
    /// A membership change takes effect. To be called when its entry is applied, unless the application decides to
    /// ignore it.
    /// </summary>
    /// <exception cref="RaftInvariantException">It can't be applied to the present configuration.</exception>
    public ConfState ApplyConfChange(ConfChangeV2 change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return _core.ApplyConfChange(change);
    }

    /// <summary>A message from another peer, or a response of the own storage.</summary>
    public StepResult Step(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        bool fromStorage = message.From.IsLocalThread;
        if (message.Type.IsLocal() && !fromStorage)
        {
            return StepResult.UnexpectedLocalMessage;
        }

        return message.Type.IsResponse() && !fromStorage && !_core.Tracks(message.From)
            ? StepResult.UnknownPeer
            : _core.Step(message);
    }

    /// <summary>
    /// Asks for an index that a linearizable read needs; the answer comes as a <see cref="ReadState"/> with the same
    /// context, or never, if leadership changes or a message is lost.
    /// </summary>
    public void ReadIndex(ReadOnlyMemory<byte> context) =>
        _core.Step(new Message { Type = MessageType.ReadIndex, Context = context });

    /// <summary>Hands leadership to a voter. A follower sends the wish to its leader.</summary>
    public void TransferLeader(PeerId transferee) =>
        _core.Step(new Message { Type = MessageType.TransferLeader, From = transferee });

    /// <summary>
    /// A follower forgets its leader, and may vote for another at once. Not with lease-based reads.
    /// </summary>
    public void ForgetLeader() => _core.Step(new Message { Type = MessageType.ForgetLeader });

    /// <summary>
    /// An entry is known to be committed, from whomever: if this log has it, so is all before it. Helps a group whose
    /// last leader has left it and told nobody; a leader knows better, and ignores it.
    /// </summary>
    public void LearnCommitted(long index, Term term) => _core.LearnCommitted(index, term);

    /// <summary>The last message to a peer didn't reach it.</summary>
    public void ReportUnreachable(PeerId peer) =>
        _core.Step(new Message { Type = MessageType.Unreachable, From = peer });

    /// <summary>
    /// A snapshot sent to a peer has arrived, or not. Every one must be reported, or the peer waits for it for ever.
    /// </summary>
    public void ReportSnapshot(PeerId peer, SnapshotStatus status) => _core.Step(new Message
    {
        Type = MessageType.SnapStatus,
        From = peer,
        Reject = status == SnapshotStatus.Failed,
    });

    /// <summary>A copy of everything there is to see.</summary>
    public Status GetStatus() => new()
    {
        Id = Id,
        HardState = _core.HardState,
        SoftState = _core.SoftState,
        Applied = AppliedIndex,
        FirstIndex = FirstIndex,
        LastIndex = LastIndex,
        LeadTransferee = LeadTransferee,
        Configuration = Configuration,
        Progress = IsLeader ? _core.DescribeProgress() : [],
    };
}
