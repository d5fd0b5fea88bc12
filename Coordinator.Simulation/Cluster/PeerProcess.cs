using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Cluster;

/// <summary>
/// One process that runs one activation of a peer with the real replica: the peer's loop on virtual time. A turn drains
/// the inbox into one batch; a crash can fall between any two of the turn's effects.
/// </summary>
internal sealed partial class PeerProcess
{
    private readonly World _world;
    private readonly SimulatedPeer _peer;
    private readonly Prng _random;
    private readonly StorageWorker _storage;
    private readonly List<Action<ReplicaMachine>> _inbox = [];
    private readonly List<Action<ReplicaMachine>> _batch = [];
    private readonly List<Action> _effects = [];
    private bool _isTurnDue;
    private bool _isTickQueued;
    private bool _crashesBetweenEffects;
    private long _pausedUntilUs;

    /// <summary>What, of this turn's inputs, may have woken a replica that rested.</summary>
    private Happening _waker;
    private (long DurationUs, Action Paused)? _pauseInReadRound;

    public PeerProcess(World world, SimulatedPeer peer, int number, Prng random)
    {
        _world = world;
        _peer = peer;
        _random = random;
        Number = number;
        ProgramLevel = peer.ProgramLevel;
        _storage = new StorageWorker(world, peer, this, random);
    }

    public int Number { get; }

    /// <summary>The highest feature level that its program supports (rule 25).</summary>
    public int ProgramLevel { get; }

    public PeerId Peer => _peer.Id;

    public SimulatedPeer Owner => _peer;

    public bool IsAlive { get; private set; } = true;

    /// <summary>Null until the activation has committed and all state is loaded (rule 2).</summary>
    public ReplicaMachine? Machine { get; private set; }

    /// <summary>The epoch that this process's activation has; 0 before.</summary>
    public long Epoch { get; private set; }

    public bool IsLeader => IsAlive && Machine is { IsLeader: true };

    public bool IsPaused => _pausedUntilUs > _world.Events.NowUs;

    public void Start() => _storage.Activate();

    public void Kill()
    {
        IsAlive = false;
        CloseConnections();
    }

    /// <summary>Pauses as soon as it has asked a quorum for the reads that wait.</summary>
    public void PauseInReadRound(long durationUs, Action paused) => _pauseInReadRound = (durationUs, paused);

    /// <summary>Runs nothing until then; what arrives waits.</summary>
    public void Pause(long durationUs) => _pausedUntilUs = Math.Max(_pausedUntilUs, _world.Events.NowUs + durationUs);

    public void Unpause()
    {
        _pausedUntilUs = 0;
        _pauseInReadRound = null;
        // The turn that is due was put off to the pause's end.
        if (_isTurnDue)
            ScheduleTurn();
    }

    public void CrashBetweenEffects() => _crashesBetweenEffects = true;

    public void Activated(LoadedPeer loaded, StorageEvidence evidence)
    {
        Epoch = loaded.Epoch;
        ReplicaOptions options = _world.Scenario.Options with { Seed = _random.Next(), SupportedLevel = ProgramLevel };
        Machine = new ReplicaMachine(options, loaded, _peer.Clock.NowUs, evidence);
        Machine.Applied = (in Entry entry, in Replica.State.ApplyResult result, Replica.State.ApplyEffects effects) =>
            _world.Invariants.Applied(this, entry, result, effects);
        _world.Invariants.Activated(this, loaded);
        _peer.Activated(this);
        ScheduleTick();
    }

    public void Receive(Envelope envelope)
    {
        if (Machine is null)
            return;
        if (IsAnswer(envelope.Message.Type) && envelope.ReceiverEpoch > 0 && envelope.ReceiverEpoch < Epoch)
            _world.Happenings.Count(Happening.AnswerToEarlierActivation);
        Envelope heard = _world.Bug.ForgesAnswers && envelope.ReceiverEpoch != 0
            ? envelope with { ReceiverEpoch = Epoch }
            : envelope;
        Post(machine => machine.Receive(heard));
    }

    public void Post(Action<ReplicaMachine> input)
    {
        if (!IsAlive || Machine is null)
            return;
        _inbox.Add(input);
        if (_isTurnDue)
            return;
        _isTurnDue = true;
        ScheduleTurn();
    }

    public void ReactivatedAs(LoadedPeer loaded)
    {
        Post(machine =>
        {
            _world.Happenings.Count(Happening.Reactivated);
            if (machine.State.AppliedIndex > LastIndexOf(loaded))
                _world.Happenings.Count(Happening.StateAheadOfStoredLog);
            Epoch = loaded.Epoch;
            _world.Invariants.Activated(this, loaded);
            machine.Reactivated(loaded);
        });
    }

    private static bool IsAnswer(MessageType type) => type is MessageType.AppResp or MessageType.VoteResp
        or MessageType.PreVoteResp or MessageType.HeartbeatResp or MessageType.ReadIndexResp;

    private static long LastIndexOf(LoadedPeer loaded) =>
        loaded.Entries.Count > 0 ? loaded.Entries[^1].Index : loaded.Snapshot.Pointer.Index;

    private void ScheduleTurn()
    {
        long delayUs = _random.Chance(0.01) ? _random.Skewed(100, 20_000) : _random.Between(5, 80);
        _world.Events.At(Math.Max(_world.Events.NowUs + delayUs, _pausedUntilUs), RunTurn);
    }

    private void ScheduleTick()
    {
        if (!IsAlive)
            return;
        // A loop that is behind gets one tick, not a backlog of them; one whose replica rests gets none.
        if (!_isTickQueued && Machine is not { IsQuiesced: true })
        {
            _isTickQueued = true;
            Post(_ => _isTickQueued = false);
        }
        _world.Events.After(_peer.Clock.RealDuration(_world.Scenario.Options.TickUs), ScheduleTick);
    }

    private void RunTurn()
    {
        if (!IsAlive || !_isTurnDue || Machine is not { } machine)
            return;
        if (_pausedUntilUs > _world.Events.NowUs)
        {
            ScheduleTurn();
            return;
        }
        _isTurnDue = false;
        _batch.AddRange(_inbox);
        _inbox.Clear();
        bool rested = machine.IsQuiesced;
        _waker = Happening.WokenByMessage;
        ReplicaEffects effects = Turn(machine);
        _batch.Clear();
        if (rested != machine.IsQuiesced)
            RestChanged(machine);
        _world.Invariants.AfterTurn(this, effects);
        Execute(effects);
        if (_pauseInReadRound is { } pause
            && effects.Send.Exists(envelope => envelope.Message is { Type: MessageType.Heartbeat, Context.IsEmpty: false }))
        {
            _pauseInReadRound = null;
            Pause(pause.DurationUs);
            pause.Paused();
        }
        if (IsAlive && machine.Service is ServiceState.Stopped or ServiceState.Quarantined)
            _world.Invariants.Ended(this);
    }

    /// <summary>The link to the silo of the peer that this one follows is lost.</summary>
    public void LeaderLost(PeerId leader) => Post(machine =>
    {
        _waker = Happening.WokenByLinkLoss;
        machine.ForgetLeader(leader);
    });

    private void RestChanged(ReplicaMachine machine)
    {
        _world.Trace.Add($"peer {Peer}.{Epoch}: {(machine.IsQuiesced ? "rests" : $"{_waker}")} at {machine.Raft.LastIndex} of term {machine.Raft.Term}");
        if (!machine.IsQuiesced)
            _world.Happenings.Count(_waker);
        else if (machine.IsLeader)
            _world.Happenings.Count(Happening.Quiesced);
    }

    private ReplicaEffects Turn(ReplicaMachine machine)
    {
        try
        {
            machine.BeginTurn(_peer.Clock.NowUs);
            foreach (Action<ReplicaMachine> input in _batch)
                input(machine);
            return machine.EndTurn();
        }
        catch (Exception broken) when (broken is not InvariantViolation)
        {
            throw new InvariantViolation("nothing breaks", $"peer {Peer}.{Epoch}: {broken.Message}", broken);
        }
    }

    private void Execute(ReplicaEffects effects)
    {
        _effects.Clear();
        foreach (Envelope envelope in effects.Send)
            _effects.Add(() => Send(envelope));
        _storage.Collect(effects, _effects);
        CollectAnswers(effects);
        int count = _effects.Count;
        bool crashes = _crashesBetweenEffects && count > 0;
        if (crashes)
        {
            // Any order but a later turn first: so any subset of the effects can be what a crash leaves behind.
            _random.Shuffle(_effects);
            count = _random.Below(count + 1);
            _world.Happenings.Count(Happening.CrashBetweenEffects);
            _world.Trace.Add($"peer {Peer}.{Epoch}: crashes after {count} of {_effects.Count} effects");
        }
        for (int i = 0; i < count; i++)
            _effects[i]();
        if (crashes)
            _peer.Crash(this);
    }

    private void Send(Envelope envelope)
    {
        // Whoever takes over an altered state is as wrong as that, and nobody promises to find a majority that is.
        if (_peer.IsAltered && HandsOnAltered(envelope.Message))
        {
            _peer.Crash(this);
            return;
        }
        _world.Invariants.Sending(this, envelope);
        if (_world.Trace.IsOn && envelope.Message.Type is not (MessageType.Heartbeat or MessageType.HeartbeatResp))
            TraceSend(envelope);
        if (_world.PeerOf(envelope.To) is not { } to)
            return;
        if (envelope.Message.Type == MessageType.Snap && _world.SnapshotSent is { } sent)
        {
            _world.SnapshotSent = null;
            sent(this, to);
        }
        if (!_world.Network.Send(_peer.Place, to.Place, () => to.Deliver(envelope, fromNewest: _peer.Newest == this)) && _random.Chance(0.3))
            Post(machine => machine.ReportUnreachable(envelope.To));
    }

    private bool HandsOnAltered(Message message)
    {
        EntrySlice entries = message.Entries;
        return message.Type == MessageType.Snap || (message.Type == MessageType.App && !entries.IsEmpty
            && entries[0].Index <= _peer.AlteredIndex && _peer.AlteredIndex < entries[0].Index + entries.Count);
    }

    private void TraceSend(Envelope envelope)
    {
        Message message = envelope.Message;
        _world.Trace.Add($"peer {Peer}.{Epoch}: {message.Type} to {message.To} term {message.Term} index {message.Index}/{message.LogTerm} {message.Entries.Count} entries commit {message.Commit}{(message.Reject ? " REJECT" : "")}");
    }
}
