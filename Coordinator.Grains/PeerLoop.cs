using System.Threading.Channels;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// One peer at work: the only owner of its replica. Everything reaches it through its inbox; one turn drains all that
/// waits into one batch and then executes the effects. Invariant: no await inside a turn, so a proposer that waits, a
/// slow database or a slow caller never blocks Raft.
/// </summary>
public sealed class PeerLoop : IAsyncDisposable
{
    /// <summary>Why a peer has stopped when its silo was told to.</summary>
    internal const string OrderlyStop = "The silo stops.";

    /// <summary>Why a peer has stopped whose rows are about to go.</summary>
    internal const string HasLeft = "It has left the group.";

    /// <summary>Callers' requests waiting in the inbox; one more is refused as overloaded.</summary>
    internal const int RequestsMax = 16_384;

    /// <summary>Raft messages waiting in the inbox; one more is dropped, as a network would.</summary>
    internal const int MessagesMax = 16_384;

    /// <summary>Inputs to one turn, so that a flood doesn't hold up what came before.</summary>
    private const int BatchMax = 8_192;

    private static readonly TimeSpan RollbackTold = TimeSpan.FromMinutes(1);

    private readonly Channel<PeerInput> _inbox = Channel.CreateUnbounded<PeerInput>(
        new UnboundedChannelOptions { SingleReader = true });

    private readonly ReplicaMachine _replica;
    private readonly PeerStorageWorker _storage;
    private readonly Action<Envelope> _send;
    private readonly Action<EndedSession> _sessionEnded;
    private readonly Action _leadershipChanged;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly long _startedAt;
    private readonly TickSource _ticks;
    private readonly Action _tick;
    private readonly Task _running;
    private int _requests;
    private int _messages;
    private int _tickQueued;

    /// <summary>When it was last said that an index is missing: anybody can make one up, and may not flood the log.</summary>
    private long? _rollbackToldAt;
    private volatile ReplicaStatus _status;

    /// <param name="send">Carries an envelope to another peer, or loses it; must not block.</param>
    /// <param name="sessionEnded">Told of each session that ended; must not block.</param>
    /// <param name="leadershipChanged">Told when role, leader or service changed; must not block.</param>
    internal PeerLoop(
        ReplicaOptions options, ActivatedPeer activated, PeerDatabase database, string owner, Action<Envelope> send,
        Action<EndedSession> sessionEnded, Action leadershipChanged, TimeProvider time, ILogger log)
    {
        _time = time;
        _log = log;
        _send = send;
        _sessionEnded = sessionEnded;
        _leadershipChanged = leadershipChanged;
        _startedAt = time.GetTimestamp();
        StorageId = activated.Loaded.StorageId;
        Database = database;
        _replica = new ReplicaMachine(options, activated.Loaded, NowUs(), activated.Evidence);
        _storage = new PeerStorageWorker(
            activated.Loaded.Key, database, activated.Witness, owner, input => _inbox.Writer.TryWrite(input), time, log);
        _status = _replica.GetStatus();
        if (_status.Service is ServiceState.Stopped or ServiceState.Quarantined)
            HostLog.PeerHalted(log, Key, _status.Service, _status.Detail ?? "");
        _ticks = TickSource.Of(time, TimeSpan.FromMicroseconds(options.TickUs));
        _tick = PostTick;
        _ticks.Add(_tick);
        _running = Task.Run(RunAsync);
    }

    public PeerId Peer => Key.Peer;

    internal PeerKey Key => _replica.Key;

    /// <summary>Of its rows; the membership lists the same, or this is no member.</summary>
    internal Guid StorageId { get; }

    /// <summary>Where they are.</summary>
    internal PeerDatabase Database { get; }

    /// <summary>What it was added for; null: it is one of the first.</summary>
    internal PeerAddition? Addition { get; set; }

    /// <summary>Told when there is a new status, from the second turn on at the latest; must not block.</summary>
    internal Action? TurnEnded { get; init; }

    /// <summary>As of the end of the last turn.</summary>
    public ReplicaStatus Status => _status;

    /// <summary>False: the inbox is full, and the message is lost.</summary>
    internal bool TryPost(Envelope envelope)
    {
        if (Interlocked.Increment(ref _messages) <= MessagesMax && _inbox.Writer.TryWrite(new PeerInput.FromPeer(envelope)))
            return true;
        Interlocked.Decrement(ref _messages);
        return false;
    }

    /// <summary>False: the inbox is full or closed; nothing will happen.</summary>
    internal bool TryPost(CommandFuture future) => TryPostRequest(new PeerInput.Execute(future));

    internal bool TryPost(QueryFuture future) => TryPostRequest(new PeerInput.Ask(future));

    internal bool TryPost(KeepAliveFuture future) => TryPostRequest(new PeerInput.KeepAlive(future));

    internal bool TryPost(SaveFuture future) => TryPostRequest(new PeerInput.Save(future));

    internal bool TryPost(WatchFuture future) => TryPostRequest(new PeerInput.Watch(future));

    internal void Post(PeerInput input) => _inbox.Writer.TryWrite(input);

    /// <summary>Ends its service, so that rows which go after this are no alarm.</summary>
    internal void Retire() => _inbox.Writer.TryWrite(new PeerInput.Halt(ServiceState.Stopped, HasLeft));

    /// <summary>Ends the loop; open requests end with what is known of them. The write in flight is waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        _inbox.Writer.TryWrite(new PeerInput.Halt(ServiceState.Stopped, OrderlyStop));
        _inbox.Writer.TryComplete();
        await _running;
        _ticks.Remove(_tick);
        await _storage.DisposeAsync();
    }

    private bool TryPostRequest(PeerInput input)
    {
        if (Interlocked.Increment(ref _requests) <= RequestsMax && _inbox.Writer.TryWrite(input))
            return true;
        Interlocked.Decrement(ref _requests);
        return false;
    }

    private void PostTick()
    {
        // A loop that is behind gets one tick, not a backlog of them.
        if (Interlocked.Exchange(ref _tickQueued, 1) == 0)
            _inbox.Writer.TryWrite(PeerInput.Tick.Instance);
    }

    private async Task RunAsync()
    {
        while (await _inbox.Reader.WaitToReadAsync())
        {
            try
            {
                Turn();
            }
            catch (Exception broken)
            {
                // A broken invariant, or bytes that are no command: this peer must not go on (rule 4). Its inbox is still
                // emptied: whoever waits or still asks is answered.
                HostLog.PeerBroken(_log, Key.ToString(), broken);
                Execute(_replica.Break($"{broken.GetType().Name}: {broken.Message}"));
            }
        }
    }

    private void Turn()
    {
        _replica.BeginTurn(NowUs());
        for (int count = 0; count < BatchMax && _inbox.Reader.TryRead(out PeerInput? input); count++)
            Feed(input);
        Execute(_replica.EndTurn());
        // The loop alone decides, after its own turn: whatever wakes the replica is a turn, so no tick is missed.
        if (_replica.IsQuiesced)
            _ticks.Remove(_tick);
        else
            _ticks.Add(_tick);
    }

    private void Feed(PeerInput input)
    {
        switch (input)
        {
            case PeerInput.FromPeer message:
                Interlocked.Decrement(ref _messages);
                _replica.Receive(message.Envelope);
                break;
            case PeerInput.Execute command:
                Interlocked.Decrement(ref _requests);
                _replica.Submit(command.Future);
                break;
            case PeerInput.Ask query:
                Interlocked.Decrement(ref _requests);
                _replica.Submit(query.Future);
                break;
            case PeerInput.KeepAlive keepAlive:
                Interlocked.Decrement(ref _requests);
                _replica.Submit(keepAlive.Future);
                break;
            case PeerInput.Save save:
                Interlocked.Decrement(ref _requests);
                _replica.Submit(save.Future);
                break;
            case PeerInput.Forget forget:
                _replica.Forget(forget.Future);
                break;
            case PeerInput.Watch watch:
                Interlocked.Decrement(ref _requests);
                _replica.Submit(watch.Future);
                break;
            case PeerInput.ForgetWatch forget:
                _replica.Forget(forget.Future);
                break;
            case PeerInput.WriteEnded write:
                _replica.WriteEnded(write.Epoch, write.Outcome);
                break;
            case PeerInput.EpochRead { Available: true } read:
                _replica.EpochRead(read.Asked, read.Stored);
                break;
            case PeerInput.EpochRead read:
                _replica.EpochUnavailable(read.Asked);
                break;
            case PeerInput.SnapshotWritten snapshot:
                _replica.SnapshotWritten(snapshot.Epoch, snapshot.Id, snapshot.Durable);
                break;
            case PeerInput.Reactivated reactivated:
                _replica.Reactivated(reactivated.Loaded);
                break;
            case PeerInput.Campaign:
                _replica.Campaign();
                break;
            case PeerInput.LeaveElection leave:
                _replica.LeaveElection(leave.ForUs);
                break;
            case PeerInput.TransferLeadership transfer:
                _replica.TransferLeadership(transfer.To);
                break;
            case PeerInput.ForgetLeader lost:
                _replica.ForgetLeader(lost.Leader);
                break;
            case PeerInput.Unreachable unreachable:
                _replica.ReportUnreachable(unreachable.Peer);
                break;
            case PeerInput.SnapshotFailed failed:
                _replica.ReportSnapshot(failed.To, SnapshotStatus.Failed);
                break;
            case PeerInput.WitnessRecorded recorded:
                _replica.WitnessRecorded(recorded.Mark);
                break;
            case PeerInput.WentBack wentBack:
                _replica.WentBack(wentBack.Why);
                break;
            case PeerInput.Halt halt:
                _replica.Halt(halt.State, halt.Why);
                break;
            case PeerInput.Tick:
                Volatile.Write(ref _tickQueued, 0);
                break;
        }
    }

    private void Execute(ReplicaEffects effects)
    {
        foreach (Envelope envelope in effects.Send)
            _send(envelope);
        _storage.Begin(effects);
        foreach ((CommandTicket ticket, long waitIndex) in effects.Queued)
            (ticket as CommandFuture)?.SetQueued(waitIndex);
        foreach ((CommandTicket ticket, CommandAnswer answer) in effects.Completed)
            (ticket as CommandFuture)?.SetAnswer(answer);
        foreach ((QueryTicket ticket, QueryAnswer answer) in effects.Answered)
            ((QueryFuture)ticket).SetAnswer(answer);
        foreach ((WatchTicket ticket, WatchPage page) in effects.WatchesAnswered)
            ((WatchFuture)ticket).SetPage(page);
        foreach ((SaveTicket ticket, SaveOutcome outcome) in effects.Saved)
            ((SaveFuture)ticket).SetOutcome(outcome);
        foreach ((KeepAliveTicket ticket, KeepAliveAnswer answer) in effects.KeptAlive)
            ((KeepAliveFuture)ticket).SetAnswer(answer);
        foreach (EndedSession session in effects.SessionsEnded)
            _sessionEnded(session);
        foreach (ReplicaWarning warning in effects.Warnings)
            HostLog.Warn(_log, Key.ToString(), warning);
        ReplicaStatus before = _status;
        _status = _replica.GetStatus();
        if (effects.WitnessedIndex != 0 && (_rollbackToldAt is not { } told || _time.GetElapsedTime(told) > RollbackTold))
        {
            _rollbackToldAt = _time.GetTimestamp();
            HostLog.WitnessedRollback(_log, Key.Group, effects.WitnessedIndex, _status.AppliedIndex);
        }
        if (effects.WentBack is { } why)
            HostLog.StorageWentBack(_log, Key, why);
        if (effects.LeadershipChanged)
        {
            HostLog.PeerChanged(_log, before, _status);
            _leadershipChanged();
        }
        if (_status.StateDisputed && !before.StateDisputed)
            HostLog.StateDisputed(_log, Key);
        TurnEnded?.Invoke();
    }

    private long NowUs() => (long)_time.GetElapsedTime(_startedAt).TotalMicroseconds + 1;
}
