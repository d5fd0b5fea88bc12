using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

/// <summary>
/// One replica of one group: Raft, the coordination state, open requests, and the order of persisting and sending. A
/// pure machine: a turn is <see cref="BeginTurn"/>, any number of events, <see cref="EndTurn"/>; what comes out is
/// <see cref="ReplicaEffects"/>. Invariant: nothing that names a term, a vote, or a log leaves before it is durable;
/// nothing is answered before a quorum has it.
/// </summary>
public sealed partial class ReplicaMachine
{
    private readonly ReplicaOptions _options;
    private readonly PeerKey _key;
    private readonly ReplicaEffects _effects = new();
    private readonly ActivationLedger _activations = new();
    private readonly EpochGate _gate = new();
    private readonly ReadRounds _reads;
    private readonly OpenCommands _open = new();
    private readonly LeaderClock _clock;
    private readonly AppliedTerms _appliedTerms = new();
    private readonly StateChecks _checks;
    private readonly Dictionary<PeerId, long> _heardUs = [];
    private readonly WatchHub _watches;
    private readonly SeededBug _planted = SeededBugs.Planted;

    private CoordinationState _state;
    private LoadedPeer _stored;
    private RawNode _raft;
    private MemoryStorage _mirror;
    private WritePipeline _writes;
    private SnapshotPlanner _snapshots;
    private long _nowUs;
    private long _tickedUs;
    private long _electionLeftUntilUs;
    private ulong _activationCount;

    /// <param name="loaded">From an activation that has committed (rule 2).</param>
    /// <param name="nowUs">Monotonic time, microseconds; its zero is of no importance.</param>
    /// <param name="evidence">What to compare the storage with before it takes part; null: it takes part at once.</param>
    /// <remarks>A stored state of a feature level that this program does not support stops the replica at once.</remarks>
    /// <exception cref="InvalidDataException">The stored snapshot does not hold a state.</exception>
    public ReplicaMachine(ReplicaOptions options, LoadedPeer loaded, long nowUs, StorageEvidence? evidence = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loaded);
        _options = options;
        _key = loaded.Key;
        _nowUs = nowUs;
        _tickedUs = nowUs;
        _clock = new LeaderClock(options.ElectionTimeoutUs);
        _watch = new FollowerWatch(2 * options.ElectionTimeoutUs);
        _reads = new ReadRounds(options.TickUs * options.HeartbeatTicks * 2);
        _checks = new StateChecks(options);
        _watches = new WatchHub(options);
        int level = CoordinationState.ReadFeatureLevel(loaded.Snapshot.Data);
        if (level > options.SupportedLevel)
            loaded = Blank(loaded);
        _state = CoordinationState.ReadSnapshot(loaded.Snapshot.Data);
        _appliedTerms.Reset(_state.AppliedIndex, _state.AppliedTerm);
        _checks.Reset(_state.AppliedIndex, nowUs);
        _report = NewReport();
        if (_planted != SeededBug.SightingsForgotten)
            _sightings.Load(loaded.Sightings);
        (_stored, _mirror, _raft, _writes, _snapshots) = Attach(loaded);
        if (level > options.SupportedLevel)
            Halt(ServiceState.Stopped, FeatureLevels.Unsupported(level, options.SupportedLevel));
        else
            MembershipChanged();
        if (evidence is not null)
            BeginComparison(evidence);
    }

    public ServiceState Service { get; private set; } = ServiceState.Running;

    public string? Detail { get; private set; }

    public PeerKey Key => _key;

    public bool IsLeader => Service == ServiceState.Running && _raft.IsLeader;

    /// <summary>The state as applied so far: for serializable reads and for checks.</summary>
    public CoordinationState State => _state;

    /// <summary>For checks: the Raft core of the present activation.</summary>
    public RawNode Raft => _raft;

    /// <summary>For checks: Raft has a snapshot that the state has not.</summary>
    internal bool IsInstalling => _writes.Installing is not null;

    /// <summary>For checks.</summary>
    internal AppliedHook? Applied { get; set; }

    public void BeginTurn(long nowUs)
    {
        _effects.Clear();
        _nowUs = Math.Max(_nowUs, nowUs);
    }

    /// <summary>Ends the turn: proposes what was asked for, ticks, and gives out the work.</summary>
    public ReplicaEffects EndTurn()
    {
        DrainRaft();
        if (Service == ServiceState.Comparing)
            Compare();
        RecordWitness();
        if (Service == ServiceState.Running && !IsQuiesced)
        {
            ProposeGathered();
            ProposeForGroup();
            BeginReadRound();
            Tick();
            DrainRaft();
        }
        // What it applied may have ended its service.
        if (Service == ServiceState.Running)
        {
            ServeReads();
            BeginStorageWork();
        }
        else
        {
            RefuseGathered();
        }
        if (_isTakenOut)
            _effects.DropWork();
        _isTakenOut = false;
        ServeWitnesses();
        ServeWatches();
        AnswerOverdue();
        TellWatches();
        Rest();
        CallOthers();
        return _effects;
    }

    public ReplicaStatus GetStatus() => new(
        _key.Peer, Service, _raft.State, Service == ServiceState.Running ? _raft.Leader : PeerId.None, _raft.Term,
        _stored.Epoch, _raft.LastIndex, _raft.CommitIndex, _state.AppliedIndex, _writes.SnapshotInForce.Index,
        _state.Revision, _state.SessionCount, IsServing, _writes.StoredCommitIndex, _state.Membership,
        _membershipIndex, _state.FeatureLevel, IsLeader && _checks.IsDisputed, Detail)
    {
        Watches = _watches.OpenCount,
        IsQuiesced = IsQuiesced,
    };

    /// <summary>A Raft message from another peer.</summary>
    public void Receive(Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        if (envelope.To != _key.Peer || envelope.Group != _key.Group || envelope.Message.Type.IsLocal())
            return;
        Admission admission = _activations.Judge(envelope, _state.Membership);
        if (admission != Admission.Foreign)
            WakeFor(envelope);
        if (Witnessed(envelope, admission) || Service != ServiceState.Running)
            return;
        switch (admission)
        {
            case Admission.Stale or Admission.Foreign:
                return;
            case Admission.Newer:
                // What Raft has said to the earlier activation must not be taken for an answer to this one.
                DrainRaft();
                _activations.Record(envelope.From, envelope.Epoch);
                _reports.Remove(envelope.From);
                break;
        }
        if (envelope.ReceiverEpoch > _stored.Epoch)
        {
            HeardOfSuccessor(envelope.ReceiverEpoch);
            return;
        }
        _reports[envelope.From] = envelope.Report;
        if (IsAnswer(envelope.Message.Type) && envelope.ReceiverEpoch != _stored.Epoch)
            return;
        if (_raft.Leader.IsNone && envelope.CommitIndex > _raft.CommitIndex)
            _raft.LearnCommitted(envelope.CommitIndex, envelope.CommitTerm);
        if (envelope.Message.Term == _raft.Term)
        {
            _heardUs[envelope.From] = _nowUs;
            HearOfRest(envelope);
        }
        _raft.Step(envelope.Message);
    }

    /// <summary>The transport could not reach a peer.</summary>
    public void ReportUnreachable(PeerId peer)
    {
        // From who sleeps nothing is on its way to anybody: a follower's death is no reason to wake all groups at once.
        if (Service == ServiceState.Running && !IsQuiesced)
            _raft.ReportUnreachable(peer);
    }

    /// <summary>What became of sending a snapshot.</summary>
    public void ReportSnapshot(PeerId peer, SnapshotStatus status)
    {
        if (Service != ServiceState.Running)
            return;
        Wake();
        _raft.ReportSnapshot(peer, status);
    }

    /// <summary>Asks for an election now instead of after the time-out: all peers have just been started.</summary>
    public void Campaign()
    {
        Touch();
        _electionLeftUntilUs = 0;
        _campaignsNext = Service == ServiceState.Comparing;
        if (Service == ServiceState.Running)
            _raft.Campaign();
    }

    /// <summary>
    /// For so long another replica is left to begin the first election: this one votes, and asks for votes only if it is told
    /// to. Ends with the first leader or term that it hears of.
    /// </summary>
    public void LeaveElection(long forUs) => _electionLeftUntilUs = _nowUs + forUs;

    /// <summary>
    /// The connection to the leader's silo is lost: whoever asks for this replica's vote need not wait until the leader
    /// has been silent for an election time-out (rule 26).
    /// </summary>
    public void ForgetLeader(PeerId leader)
    {
        if (Service != ServiceState.Running || _raft.Leader != leader || (IsQuiesced && _planted == SeededBug.SleepsOnWithoutLeader))
            return;
        Touch();
        _raft.ForgetLeader();
    }

    public void TransferLeadership(PeerId to)
    {
        if (Service != ServiceState.Running)
            return;
        Touch();
        _raft.TransferLeader(to);
    }

    /// <summary>A caller's command. Completed once it is decided, refused at once unless this replica leads.</summary>
    public void Submit(CommandTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        Touch();
        if (IsLeader && FeatureLevels.Required(ticket.Command.OperationCase) > AppliedLevel)
        {
            RefuseUnknown(ticket);
            return;
        }
        ticket.DeadlineUs = _nowUs + _options.CommandTimeoutUs;
        (ticket.Command.ChangePeers is null ? _commands : _peerChanges).Add(ticket);
    }

    public void Submit(KeepAliveTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        Touch();
        if (_keepAlives.Count == 0)
            _keepAlivesSinceUs = _nowUs;
        _keepAlives.Add(ticket);
    }

    public void Submit(QueryTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        Touch();
        if (Service is ServiceState.Stopped or ServiceState.Quarantined)
        {
            Refuse(ticket, CodeOfEnded());
            return;
        }
        ticket.DeadlineUs = _nowUs + _options.QueryTimeoutUs;
        if (ticket.Query.Serializable)
        {
            ReadHere(ticket);
            return;
        }
        // A follower asks its leader for the index and answers itself.
        if (Service == ServiceState.Running && !_raft.Leader.IsNone)
            _reads.Add(ticket);
        else
            Refuse(ticket, ErrorCode.NotLeader);
    }

    /// <summary>Nobody waits for this ticket any more; the command itself stands.</summary>
    public void Forget(CommandTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        _open.Forget(ticket);
    }

    /// <summary>Ends this replica's service; open requests end with what is known of them.</summary>
    public void Halt(ServiceState state, string why)
    {
        if (Service is ServiceState.Stopped or ServiceState.Quarantined)
            return;
        EndRest();
        Service = state;
        Detail = why;
        _clock.Stop();
        _effects.LeadershipChanged = true;
        _effects.Halted = state is ServiceState.Stopped or ServiceState.Quarantined;
        RefuseUnconfirmedReads();
        RefuseParkedWatches();
        if (!_effects.Halted)
            return;
        _reads.TakeAll(_takenReads);
        _takenReads.AddRange(_behind);
        _behind.Clear();
        _takenReads.ForEach(ticket => Refuse(ticket, ErrorCode.Stopping));
        _takenReads.Clear();
        _open.TakeAppended(_takenCommands);
        _open.TakeWaits(_takenCommands);
        FailTaken(ErrorCode.OutcomeUnknown, "This replica has stopped; the command may or may not have happened.");
        RefuseGathered();
    }

    /// <summary>
    /// An exception ended the turn halfway: an invariant is broken, or stored bytes are no command. What was decided is
    /// answered, once; what the turn would have sent or written stays here.
    /// </summary>
    public ReplicaEffects Break(string why)
    {
        _effects.DropWork();
        Halt(ServiceState.Stopped, why);
        FailApplying("This replica broke while it applied the command.");
        CallOthers();
        return _effects;
    }

    private void FailApplying(string why)
    {
        if (_applying is not { } ticket)
            return;
        _applying = null;
        _takenCommands.Add(ticket);
        FailTaken(ErrorCode.OutcomeUnknown, why);
    }

    /// <summary>Answers carry the activation that they answer; all else stands for itself.</summary>
    private static bool IsAnswer(MessageType type) => type
        is MessageType.AppResp or MessageType.VoteResp or MessageType.PreVoteResp
        or MessageType.HeartbeatResp or MessageType.ReadIndexResp;

    // Who sleeps hears nobody, and wakes when it is asked.
    private bool IsServing => IsLeader && _raft.CommittedInCurrentTerm && (IsQuiesced || IsAnswered);

    // A database that stalls confirms no epoch: then neither a read nor a write would be answered.
    private bool IsAnswered => _nowUs - Math.Max(QuorumHeardUs(), _wokenUs) <= _options.ElectionTimeoutUs
        && _nowUs - _gate.ConfirmedUs <= 2 * _options.ElectionTimeoutUs;

    /// <summary>The latest moment since which a quorum of voters has answered this replica in its term.</summary>
    private long QuorumHeardUs() => _raft.Configuration.Voters.CommittedIndex(
        peer => peer == _key.Peer ? _nowUs : _heardUs.TryGetValue(peer, out long heard) ? heard : long.MinValue / 2);

    private void Tick()
    {
        long elapsed = _nowUs - _tickedUs;
        if (elapsed < _options.TickUs)
            return;
        // After a pause one tick: the messages that waited have been heard, and an election would answer nothing.
        _tickedUs = elapsed > 2 * _options.TickUs ? _nowUs : _tickedUs + _options.TickUs;
        Warn(elapsed);
        // Before the tick: that may forget who has answered since the last check for a quorum.
        WatchStorage(elapsed);
        AskToRest();
        CallSilentLeader();
        if (!LeavesElection())
            _raft.Tick();
        ReportLostSnapshots();
        if (_nowUs - _gate.ConfirmedUs >= _options.ElectionTimeoutUs / 2 && _planted != SeededBug.ReadsWithoutEpochRead)
            _epochCheckDue = true;
    }

    /// <summary>Without a leader a tick does nothing but bring the election nearer.</summary>
    private bool LeavesElection()
    {
        if (_nowUs >= _electionLeftUntilUs || !_raft.Leader.IsNone || _raft.Term != _stored.HardState.Term)
            _electionLeftUntilUs = 0;
        return _electionLeftUntilUs != 0;
    }
}
