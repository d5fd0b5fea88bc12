using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Who holds and who waits, read from the results of the entries alone, in the plainest way there is: a second opinion
/// on the replicated state, not a copy of it.
/// </summary>
internal sealed class LockLedger
{
    private readonly SortedDictionary<string, LockView> _locks = new(StringComparer.Ordinal);
    private readonly HashSet<long> _sessions = [];
    private readonly HashSet<(long Session, long Request)> _executed = [];
    private readonly List<LockEvent> _events = [];
    private long _index;

    public IEnumerable<KeyValuePair<string, LockView>> Locks => _locks;

    public int Sessions => _sessions.Count;

    /// <summary>Told of each grant, and its floor, before the ledger takes it over.</summary>
    public Action<LockView, LockClaim, long>? Granting { get; set; }

    public bool IsAlive(long session) => _sessions.Contains(session);

    /// <summary>Whether this request had been executed by an earlier entry.</summary>
    public bool HasExecuted(long session, long request) => _executed.Contains((session, request));

    public LockView View(string name)
    {
        if (!_locks.TryGetValue(name, out LockView? view))
            _locks.Add(name, view = new LockView(name));
        return view;
    }

    /// <summary>What the entry did to locks, in order; the views move with it.</summary>
    public IReadOnlyList<LockEvent> Follow(CommittedEntry entry)
    {
        _events.Clear();
        _index = entry.Index;
        foreach (EndedSession ended in entry.SessionsEnded)
            EndSession(ended.SessionId);
        // What the stamp made due ends before the command; queues are served after it (rule 10).
        foreach (WaitEnded ended in entry.WaitsEnded)
        {
            if (ended.Result.Outcome != Outcome.Granted)
                EndWait(ended);
        }
        if (entry.Command is { } command)
            Execute(entry, command);
        foreach (WaitEnded ended in entry.WaitsEnded)
        {
            if (ended.Result.Outcome == Outcome.Granted)
                EndWait(ended);
        }
        return _events.Count == 0 ? [] : _events.ToArray();
    }

    private void EndSession(long session)
    {
        _sessions.Remove(session);
        foreach (LockView view in _locks.Values)
        {
            view.Waiting.RemoveAll(waiter => waiter.SessionId == session);
            if (view.Holder is { } holder && holder.SessionId == session)
                Release(view, holder);
        }
    }

    private void Execute(CommittedEntry entry, Command command)
    {
        CommandResult result = entry.Result;
        if (command.OperationCase == Command.OperationOneofCase.CreateSession && result.Error == ErrorCode.Ok)
            _sessions.Add(result.SessionId);
        bool isNew = command.RequestId == 0 || !_executed.Contains((command.SessionId, command.RequestId));
        // A cancel is executed each time that it comes.
        if (command.OperationCase == Command.OperationOneofCase.CancelWait)
            Cancel(command, result);
        else if (isNew && IsExecuted(result.Error))
            ExecuteOnce(entry, command, result);
        if (command.RequestId != 0 && IsExecuted(result.Error))
            _executed.Add((command.SessionId, command.RequestId));
    }

    private static bool IsExecuted(ErrorCode error) => error is not (
        ErrorCode.SessionNotFound or ErrorCode.RequestIdStale or ErrorCode.RequestMismatch or ErrorCode.TooManyOpenRequests);

    private void ExecuteOnce(CommittedEntry entry, Command command, CommandResult result)
    {
        if (command.OperationCase == Command.OperationOneofCase.AcquireLock)
        {
            LockView view = View(command.AcquireLock.Name);
            var claim = new LockClaim(command.SessionId, command.RequestId, entry.Index, result.Token);
            if (result.Outcome == Outcome.Granted)
                Grant(view, claim, result.Floor);
            else if (result.Outcome == Outcome.Queued)
                Enqueue(view, claim);
            else
                Add(LockEventKind.NotGranted, view, claim);
        }
        else if (command.OperationCase == Command.OperationOneofCase.ReleaseLock && result.Outcome == Outcome.Released)
        {
            LockView view = View(command.ReleaseLock.Name);
            if (view.Holder is { } holder && holder.SessionId == command.SessionId)
                Release(view, holder);
        }
    }

    /// <summary>Cancelled with a token: the grant came first, and was given back at once.</summary>
    private void Cancel(Command command, CommandResult result)
    {
        if (result.Outcome != Outcome.Cancelled || result.Token == 0)
            return;
        foreach (LockView view in _locks.Values)
        {
            if (view.Holder is { } holder && holder.SessionId == command.SessionId && holder.RequestId == command.CancelWait.RequestId)
                Release(view, holder);
        }
    }

    private void EndWait(WaitEnded ended)
    {
        foreach (LockView view in _locks.Values)
        {
            int at = view.Waiting.FindIndex(waiter => waiter.WaitIndex == ended.EntryIndex);
            if (at < 0)
                continue;
            LockClaim waiter = view.Waiting[at] with { Token = ended.Result.Token };
            if (ended.Result.Outcome == Outcome.Granted)
                Grant(view, waiter, ended.Result.Floor);
            else
                Add(LockEventKind.NotGranted, view, waiter);
            view.Waiting.RemoveAll(other => other.WaitIndex == ended.EntryIndex);
        }
    }

    private void Enqueue(LockView view, LockClaim claim)
    {
        Add(LockEventKind.Queued, view, claim);
        view.Waiting.Add(claim);
    }

    private void Grant(LockView view, LockClaim claim, long floor)
    {
        // Before the view changes: whoever checks the grant sees who held and who waited.
        _events.Add(new LockEvent(
            LockEventKind.Granted, view.Name, claim.SessionId, claim.RequestId, claim.WaitIndex, claim.Token, floor));
        Granting?.Invoke(view, claim, floor);
        view.SetHolder(_index, claim);
    }

    private void Release(LockView view, LockClaim holder)
    {
        Add(LockEventKind.Released, view, holder);
        view.SetHolder(_index, null);
    }

    private void Add(LockEventKind kind, LockView view, LockClaim claim) => _events.Add(new LockEvent(
        kind, view.Name, claim.SessionId, claim.RequestId, claim.WaitIndex, claim.Token));
}
