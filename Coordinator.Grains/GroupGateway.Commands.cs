using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Grains;

public partial class GroupGateway
{
    private const string OverloadedText = "Too many requests wait here; try again.";
    private const string NoLeaderText = "The group has no leader now; nothing was proposed.";
    private static readonly TimeSpan CancelRetry = TimeSpan.FromMilliseconds(200);

    private ErrorCode NoLeaderCode => _stopping.IsCancellationRequested ? ErrorCode.Stopping : ErrorCode.NoQuorum;

    /// <summary>Whoever forwarded it looks for the leader itself.</summary>
    private ErrorCode NoLeaderCodeFor(Errand errand) => errand.IsForwarded ? ErrorCode.NotLeader : NoLeaderCode;

    private ErrorCode FullCode => _stopping.IsCancellationRequested ? ErrorCode.Stopping : ErrorCode.Overloaded;

    private Task<CommandAnswer> ExecuteAsync(Command command, Errand errand, CancellationToken abandoned) =>
        command.OperationCase == Command.OperationOneofCase.AcquireLock
            ? AcquireAsync(command, errand, abandoned)
            : ProposeAsync(command, errand, abandoned);

    private Task<CommandAnswer> ProposeAsync(Command command, CancellationToken abandoned) =>
        ProposeAsync(command, NewErrand(), abandoned);

    private async Task<CommandAnswer> ProposeAsync(Command command, Errand errand, CancellationToken abandoned)
    {
        while (true)
        {
            LeaderSeat? seat = await FindLeaderAsync(errand, abandoned);
            CommandAnswer answer = seat is LeaderSeat.There there
                ? await ForwardAsync(there.Silo, command, abandoned)
                : await Submit(command, seat as LeaderSeat.Here, errand).Answer.WaitAsync(abandoned);
            if (seat is null || !IsWorthAnotherLeader(answer.Result.Error))
                return answer;
            await LeaderMovedAsync(seat, abandoned);
        }
    }

    private async Task<CommandAnswer> AcquireAsync(Command command, Errand errand, CancellationToken abandoned)
    {
        while (true)
        {
            LeaderSeat? seat = await FindLeaderAsync(errand, abandoned);
            CommandAnswer answer = seat is LeaderSeat.There there
                ? await ForwardAsync(there.Silo, command, abandoned)
                : await AcquireHereAsync(command, seat as LeaderSeat.Here, errand, abandoned);
            if (seat is null || !IsWorthAnotherLeader(answer.Result.Error))
                return answer;
            await LeaderMovedAsync(seat, abandoned);
        }
    }

    private async Task<CommandAnswer> AcquireHereAsync(
        Command command, LeaderSeat.Here? seat, Errand errand, CancellationToken abandoned)
    {
        CommandFuture future = Submit(command, seat, errand);
        CommandAnswer answer = await AwaitGrantAsync(command, seat?.Peer, future, errand.StartedAt, abandoned);
        // Its replica has stopped, or was brought up to date by a snapshot, while the wait stands in the log: without
        // a request id nobody could ask for it again, so it is withdrawn.
        if (command.RequestId == 0 && IsLostWait(answer, future))
            RunInBackground(AbandonAsync(command, future));
        return answer;
    }

    /// <summary>In the leader's inbox, or already answered with a refusal.</summary>
    private CommandFuture Submit(Command command, LeaderSeat.Here? seat, Errand errand)
    {
        var future = new CommandFuture(command);
        if (seat is not null && seat.Peer.TryPost(future))
            return future;
        future.SetAnswer(new CommandAnswer
        {
            Position = NowhereYet(),
            Result = new CommandResult { Error = seat is null ? NoLeaderCodeFor(errand) : FullCode },
            Message = seat is null ? NoLeaderText : OverloadedText,
        });
        return future;
    }

    /// <summary>Waits for the grant; at the wait's end in real time ends it in the log as well (rule 16).</summary>
    private async Task<CommandAnswer> AwaitGrantAsync(
        Command command, PeerLoop? leader, CommandFuture future, long startedAt, CancellationToken abandoned)
    {
        try
        {
            long waitUs = command.AcquireLock.WaitUs;
            if (waitUs <= 0)
                return await future.Answer.WaitAsync(abandoned);
            TimeSpan left = TimeSpan.FromMicroseconds(waitUs) - _time.GetElapsedTime(startedAt);
            try
            {
                return await future.Answer.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, _time, abandoned);
            }
            catch (TimeoutException)
            {
                return await EndWaitInTimeAsync(command, future, abandoned);
            }
        }
        catch (OperationCanceledException) when (abandoned.IsCancellationRequested)
        {
            if (command.RequestId == 0)
                RunInBackground(AbandonAsync(command, future));
            else
                leader?.Post(new PeerInput.Forget(future));
            throw;
        }
    }

    /// <summary>Nobody waits for this acquire, and nobody could ask for it again: it must leave nothing behind.</summary>
    private async Task AbandonAsync(Command command, CommandFuture future)
    {
        try
        {
            CommandAnswer answer = await EndWaitAsync(command, future, releaseIfGranted: true, _stopping.Token);
            if (answer.Result.Outcome == Outcome.Granted)
                await GiveBackAsync(command, future, answer.Result);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The silo stops: the session's end releases it.
        }
    }

    /// <summary>Until the log has decided: cancelled, or granted first.</summary>
    private async Task<CommandAnswer> EndWaitAsync(
        Command acquire, CommandFuture future, bool releaseIfGranted, CancellationToken abandoned)
    {
        // Decided, or known to wait: only then does a log index name this acquire and no other.
        await Task.WhenAny(future.Answer, future.Queued).WaitAsync(abandoned);
        if (future.Answer.IsCompleted && !IsLostWait(await future.Answer, future))
            return await future.Answer;
        var cancel = new Command
        {
            SessionId = acquire.SessionId,
            Caller = acquire.Caller,
            CancelWait = acquire.RequestId != 0
                ? new CancelWait { RequestId = acquire.RequestId, ReleaseIfGranted = releaseIfGranted }
                : new CancelWait { EntryIndex = await future.Queued, ReleaseIfGranted = releaseIfGranted },
        };
        while (true)
        {
            CommandAnswer answer = await ProposeAsync(cancel, abandoned);
            if (IsDecided(answer.Result.Error))
                return await DecidedAsync(future, answer, abandoned);
            if (answer.Result.Error == ErrorCode.Stopping)
                return Undecided(answer);
            await Task.Delay(CancelRetry, _time, abandoned);
        }
    }

    private static bool IsLostWait(CommandAnswer answer, CommandFuture future) =>
        answer.Result.Error == ErrorCode.OutcomeUnknown && future.Answer.IsCompleted && future.Queued.IsCompleted;

    /// <summary>As <see cref="EndWaitAsync"/>, but a caller who waits is told when no quorum decides in time.</summary>
    private async Task<CommandAnswer> EndWaitInTimeAsync(Command acquire, CommandFuture future, CancellationToken abandoned)
    {
        using var timeout = new CancellationTokenSource(_leaderTimeout * 2, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, abandoned);
        try
        {
            return await EndWaitAsync(acquire, future, releaseIfGranted: false, either.Token);
        }
        catch (OperationCanceledException) when (!abandoned.IsCancellationRequested)
        {
            if (acquire.RequestId == 0)
                RunInBackground(AbandonAsync(acquire, future));
            return Undecided(new CommandAnswer { Position = NowhereYet() });
        }
    }

    private static CommandAnswer Undecided(CommandAnswer answer) => new()
    {
        Position = answer.Position,
        Result = new CommandResult { Error = ErrorCode.OutcomeUnknown },
        Message = "The wait is over, and no quorum has decided whether the lock was granted before.",
    };

    private static async Task<CommandAnswer> DecidedAsync(CommandFuture future, CommandAnswer cancelled, CancellationToken abandoned)
    {
        switch (cancelled.Result.Outcome)
        {
            case Outcome.Granted or Outcome.Released:
                return cancelled;
            case Outcome.Cancelled:
                return NotAcquired(cancelled);
            default:
                // No wait and no holding: it ended before the cancel, and its own answer says how.
                return await future.Answer.WaitAsync(abandoned);
        }
    }

    private static CommandAnswer NotAcquired(CommandAnswer cancelled) => new()
    {
        Position = cancelled.Position,
        Result = new CommandResult { Error = ErrorCode.LockNotAcquired, Outcome = Outcome.NotAcquired },
        Message = ErrorText.Of(ErrorCode.LockNotAcquired),
    };

    private async Task GiveBackAsync(Command acquire, CommandFuture future, CommandResult granted)
    {
        var back = new Command { SessionId = acquire.SessionId, Caller = acquire.Caller };
        if (granted.Holds > 0)
        {
            // Entered once more: there is no claim of its own.
            back.ReleaseLock = new ReleaseLock
            {
                Kind = acquire.AcquireLock.Kind,
                Name = acquire.AcquireLock.Name,
                Token = granted.Token,
            };
            // Said twice it could leave twice (rule 15): if the first is lost, the session's end leaves it.
            await ProposeAsync(back, _stopping.Token);
            return;
        }
        // All that the one request got; a grant at once has the request's own index for its token. Saying it twice gives
        // back once.
        long entryIndex = future.Queued.IsCompletedSuccessfully ? await future.Queued : granted.Token;
        back.CancelWait = new CancelWait { EntryIndex = entryIndex, ReleaseIfGranted = true };
        while (!IsDecided((await ProposeAsync(back, _stopping.Token)).Result.Error))
            await Task.Delay(CancelRetry, _time, _stopping.Token);
    }

    /// <summary>The log has said yes or no; anything else may be asked again.</summary>
    private static bool IsDecided(ErrorCode code) => code is not (
        ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.OutcomeUnknown or ErrorCode.Overloaded
        or ErrorCode.StorageUnavailable or ErrorCode.Stopping or ErrorCode.Quarantined);

    /// <summary>Refused because of who was asked: certainly not proposed, or certainly lost.</summary>
    private static bool IsWorthAnotherLeader(ErrorCode code) => code is ErrorCode.NotLeader or ErrorCode.Quarantined;

    private Task<LeaderSeat?> FindLeaderAsync(Errand errand, CancellationToken abandoned) =>
        FindAsync(() => SeatOfLeader(errand.IsForwarded), errand, abandoned);

    private async Task<LeaderSeat?> FindAsync(Func<LeaderSeat?> find, Errand errand, CancellationToken abandoned)
    {
        while (!_stopping.IsCancellationRequested)
        {
            TaskCompletionSource changed = _changed;
            TimeSpan left = errand.IsForwarded ? TimeSpan.Zero : _leaderTimeout - _time.GetElapsedTime(errand.StartedAt);
            LeaderSeat? seat = find();
            // Another silo that says again and again that it does not lead is not asked for ever.
            if (seat is LeaderSeat.Here || (seat is not null && left > TimeSpan.Zero))
                return seat;
            if (left <= TimeSpan.Zero)
                return null;
            try
            {
                await changed.Task.WaitAsync(left, _time, abandoned);
            }
            catch (TimeoutException)
            {
                return null;
            }
        }
        return null;
    }

    /// <summary>Two may think that they lead; the one in the higher term may be right.</summary>
    internal PeerLoop? Leader()
    {
        PeerLoop? leader = null;
        foreach (PeerLoop peer in _peers)
        {
            ReplicaStatus status = peer.Status;
            if (status.Service == ServiceState.Running && status.Role == Raft.RaftState.Leader
                && (leader is null || status.Term > leader.Status.Term))
                leader = peer;
        }
        return leader;
    }

    private PeerLoop? AnyRunning() =>
        Leader() ?? _peers.FirstOrDefault(peer => peer.Status.Service is ServiceState.Running or ServiceState.Suspended);

    /// <summary>The status is published after the answers of the same turn: a moment later it says who leads now.</summary>
    private async Task LeaderMovedAsync(LeaderSeat refused, CancellationToken abandoned)
    {
        TaskCompletionSource changed = _changed;
        if (SeatOfLeader(isForwarded: false) != refused)
            return;
        try
        {
            await changed.Task.WaitAsync(TimeSpan.FromMilliseconds(50), _time, abandoned);
        }
        catch (TimeoutException)
        {
            // It leads still, or again: it handed leadership over and kept it.
        }
    }

    private Position NowhereYet() => new() { Group = _group };
}
