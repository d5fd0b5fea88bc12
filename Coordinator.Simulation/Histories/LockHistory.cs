using Coordinator.Contracts;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Linearizability;

namespace Coordinator.Simulation.Histories;

/// <summary>
/// What clients did with locks, as they saw it: acquires, releases, looks; withdrawals, which cancels bring about; and the
/// ends of sessions, once for each lock that the session has asked for.
/// </summary>
internal sealed class LockHistory(EventQueue events)
{
    private readonly RequestRecorder<LockInput, LockOutput> _requests = new(events);
    private readonly Dictionary<(long Session, long Request), AskedLock> _asked = [];
    private readonly Dictionary<long, LockSession> _sessions = [];

    public IReadOnlyList<HistoryEvent<LockInput, LockOutput>> Events => _requests.History;

    public void Sent(int client, Command command)
    {
        long session = command.SessionId;
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.AcquireLock when IsPlain(command.AcquireLock.Kind, command.AcquireLock.Name):
                string name = command.AcquireLock.Name;
                _asked.TryAdd((session, command.RequestId), new AskedLock(name, command));
                SessionOf(session).Touch(client, name, _requests);
                _requests.Sent(client, command, new LockInput.Acquire(name, session, command.RequestId));
                break;
            case Command.OperationOneofCase.ReleaseLock when IsPlain(command.ReleaseLock.Kind, command.ReleaseLock.Name):
                _requests.Sent(client, command, new LockInput.Release(command.ReleaseLock.Name, session, command.ReleaseLock.Token));
                break;
            case Command.OperationOneofCase.CancelWait when command.CancelWait.ReleaseIfGranted && FindAsked(command) is { } asked:
                _requests.Sent(client, asked.Withdrawal, new LockInput.Withdraw(asked.Name, session, command.CancelWait.RequestId));
                break;
            case Command.OperationOneofCase.EndSession:
                SessionMayEnd(session);
                break;
        }
    }

    public void Sent(int client, Query query)
    {
        if (query.QueryCase == Query.QueryOneofCase.GetLock && !query.Serializable
            && IsPlain(query.GetLock.Kind, query.GetLock.Name))
            _requests.Sent(client, query, new LockInput.Look(query.GetLock.Name));
    }

    public void Answered(Command command, CommandResult result)
    {
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.AcquireLock when IsPlain(command.AcquireLock.Kind, command.AcquireLock.Name):
                AcquireEnded(_asked[(command.SessionId, command.RequestId)], result);
                break;
            // A cancel tells how its acquire ended. One that found neither wait nor holding tells nothing.
            case Command.OperationOneofCase.CancelWait when result.Error == ErrorCode.Ok && FindAsked(command) is { } asked:
                AcquireEnded(asked, result);
                break;
            case Command.OperationOneofCase.ReleaseLock when result.Outcome == Outcome.Released:
                _requests.Answered(command, new LockOutput.Released(result.Token));
                break;
            case Command.OperationOneofCase.ReleaseLock when result.Error == ErrorCode.LockNotHeld:
                _requests.Answered(command, new LockOutput.NotHeld());
                break;
            case Command.OperationOneofCase.EndSession when result.Error == ErrorCode.Ok:
                SessionHasEnded(command.SessionId);
                break;
        }
    }

    public void Answered(Query query, QueryAnswer answer)
    {
        if (query.QueryCase != Query.QueryOneofCase.GetLock)
            return;
        if (answer.Error == ErrorCode.LockNotFound)
            _requests.Answered(query, new LockOutput.Free());
        else if (answer is { Error: ErrorCode.Ok, Locks: [{ Holders: [{ } holder, ..] }] })
            _requests.Answered(query, new LockOutput.Holder(holder.SessionId, holder.Token));
    }

    public void SessionMayEnd(long session) => SessionOf(session).MayEnd(_requests);

    public void SessionHasEnded(long session) => SessionOf(session).HasEnded(_requests);

    private void AcquireEnded(AskedLock asked, CommandResult result)
    {
        switch (result.Outcome)
        {
            case Outcome.Granted:
                _requests.Answered(asked.Acquire, new LockOutput.Granted(result.Token));
                break;
            case Outcome.NotAcquired:
                _requests.Answered(asked.Acquire, new LockOutput.NotAcquired());
                break;
            // With a token: the grant came first, and a withdrawal gave it back.
            case Outcome.Cancelled when result.Token != 0:
                _requests.Answered(asked.Acquire, new LockOutput.Granted(result.Token));
                _requests.Answered(asked.Withdrawal, new LockOutput.Released(result.Token));
                break;
            case Outcome.Cancelled:
                _requests.HadNoEffect(asked.Acquire);
                _requests.HadNoEffect(asked.Withdrawal);
                break;
            case Outcome.None when result is { Error: ErrorCode.LockAlreadyHeld, Token: not 0 }:
                _requests.Answered(asked.Acquire, new LockOutput.AlreadyHeld(result.Token));
                break;
            // Without a token the session was only waiting for it, by another request.
            case Outcome.None when result.Error is ErrorCode.LockAlreadyHeld or ErrorCode.TooManyWaiters or ErrorCode.TooManyHoldings:
                _requests.HadNoEffect(asked.Acquire);
                break;
        }
    }

    /// <summary>Of a lock that is only ever held exclusively: the model knows no others.</summary>
    private static bool IsPlain(HoldingKind kind, string name) =>
        kind == HoldingKind.Lock && !name.StartsWith("rw/", StringComparison.Ordinal);

    private AskedLock? FindAsked(Command cancel) =>
        _asked.GetValueOrDefault((cancel.SessionId, cancel.CancelWait.RequestId));

    private LockSession SessionOf(long session)
    {
        if (!_sessions.TryGetValue(session, out LockSession? found))
            _sessions.Add(session, found = new LockSession(session));
        return found;
    }

    /// <param name="Acquire">The command, which stands for the acquire; its cancels have a request of their own in common.</param>
    private sealed record AskedLock(string Name, Command Acquire)
    {
        public object Withdrawal { get; } = new();
    }
}
