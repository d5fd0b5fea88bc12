using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Who holds and who waits, read from the results of the entries alone, in the plainest way there is: a second opinion
/// on the replicated state, not a copy of it.
/// </summary>
internal sealed partial class HoldingLedger
{
    private readonly SortedDictionary<(HoldingKind Kind, string Name), HoldingView> _views = new(ByName);
    private readonly HashSet<long> _sessions = [];
    private readonly HashSet<(long Session, long Request)> _executed = [];
    private long _index;

    private static readonly Comparer<(HoldingKind Kind, string Name)> ByName = Comparer<(HoldingKind Kind, string Name)>.Create(
        (x, y) => x.Kind != y.Kind ? x.Kind.CompareTo(y.Kind) : string.CompareOrdinal(x.Name, y.Name));

    public IEnumerable<HoldingView> Views => _views.Values;

    public IEnumerable<Claimed> Held => _views.Values.SelectMany(view => view.Holders);

    public IEnumerable<Claimed> Waiting => _views.Values.SelectMany(view => view.Waiting);

    public int Sessions => _sessions.Count;

    public long LogTimeUs { get; private set; }

    /// <summary>Told of each grant before the ledger takes it over.</summary>
    public Action<Claimed>? Granting { get; set; }

    /// <summary>Told of each place in line, once it is taken; and of each that was refused as a deadlock, as if it were.</summary>
    public Action<Claimed, bool>? Waits { get; set; }

    /// <summary>Told of each wait that ended without a grant, and of each holding that ended.</summary>
    public Action<Claimed>? Ended { get; set; }

    /// <summary>Told of each holding that the log ended by its time.</summary>
    public Action<Claimed>? RanOut { get; set; }

    public bool IsAlive(long session) => _sessions.Contains(session);

    /// <summary>Whether this request had been executed by an earlier entry.</summary>
    public bool HasExecuted(long session, long request) => _executed.Contains((session, request));

    public HoldingView View(HoldingKind kind, string name)
    {
        if (!_views.TryGetValue((kind, name), out HoldingView? view))
            _views.Add((kind, name), view = new HoldingView(kind, name));
        return view;
    }

    /// <summary>The views move with the entry.</summary>
    public void Follow(long index, long stampUs, Command? command, CommandResult result, ApplyEffects effects)
    {
        _index = index;
        LogTimeUs = Math.Max(LogTimeUs, stampUs);
        foreach (HoldingEnded ended in effects.HoldingsEnded.Where(ended => ended.Reason != HoldingEndReason.Forced))
            End(ended);
        foreach (EndedSession ended in effects.SessionsEnded)
            EndSession(ended);
        // What the stamp made due ends before the command; queues are served after it (rule 10).
        foreach (WaitEnded ended in effects.WaitsEnded)
        {
            if (ended.Result.Outcome != Outcome.Granted)
                EndWait(ended);
        }
        foreach (HoldingEnded ended in effects.HoldingsEnded.Where(ended => ended.Reason == HoldingEndReason.Forced))
            End(ended);
        if (command is not null)
            Execute(command, result, effects);
        foreach (WaitEnded ended in effects.WaitsEnded)
        {
            if (ended.Result.Outcome == Outcome.Granted)
                EndWait(ended);
        }
        foreach (HoldingView view in _views.Values)
            view.HeirSessionId = 0;
    }

    private void EndSession(EndedSession ended)
    {
        _sessions.Remove(ended.SessionId);
        foreach (HoldingView view in _views.Values)
            view.Waiting.RemoveAll(waiter => waiter.SessionId == ended.SessionId);
        foreach (Claimed held in Held.Where(held => held.SessionId == ended.SessionId).ToList())
        {
            if (ended.Reason == SessionEndReason.Expired)
                KeepOut(held);
            Release(held);
        }
    }

    private void KeepOut(Claimed held)
    {
        if (held.LockDelayUs > 0)
            held.View.KeptOutUntilUs = Math.Max(held.View.KeptOutUntilUs, LogTimeUs + held.LockDelayUs);
    }

    private void End(in HoldingEnded ended)
    {
        HoldingEnded what = ended;
        Claimed? held = View(ended.Kind, ended.Name).Holders.Find(
            holder => holder.WaitIndex == what.EntryIndex && holder.Token == what.Token);
        if (held is null)
            throw new Engine.InvariantViolation("holdings end once", $"entry {_index} ends {ended}, which nobody holds");
        if (ended.Reason != HoldingEndReason.Forced)
            RanOut?.Invoke(held);
        if (ended.Reason == HoldingEndReason.LeaseExpired)
            KeepOut(held);
        Release(held);
    }

    private void EndWait(WaitEnded ended)
    {
        List<Claimed> waiting = [.. Waiting.Where(waiter => waiter.WaitIndex == ended.EntryIndex)];
        if (ended.Result.Outcome == Outcome.Granted)
        {
            Grant(waiting, ended.Result);
            return;
        }
        foreach (Claimed waiter in waiting)
        {
            waiter.View.Waiting.Remove(waiter);
            Ended?.Invoke(waiter);
        }
    }

    /// <summary>All at once, or the entry has broken its word (rule 20).</summary>
    private void Grant(List<Claimed> claim, CommandResult result)
    {
        foreach (Claimed part in claim)
        {
            part.Token = result.Token;
            part.Floor = part.Position == 0 ? result.Floor : result.AlsoFloors[part.Position - 1];
            if (part.IsUpgrade && part.View.Holders.Find(held => held.SessionId == part.SessionId) is { } shared)
                part.View.Holders.Remove(shared);
            part.EndsUs = part.MaxHoldUs == 0 ? long.MaxValue : LogTimeUs + part.MaxHoldUs;
            Granting?.Invoke(part);
        }
        foreach (Claimed part in claim)
        {
            part.View.Waiting.Remove(part);
            part.View.Holders.Add(part);
            part.View.LastToken = part.Token;
            part.View.NoteHolders(_index);
        }
    }

    private void Release(Claimed held)
    {
        held.View.Holders.Remove(held);
        held.View.NoteHolders(_index);
        if (!Held.Any(other => other.WaitIndex == held.WaitIndex))
            Ended?.Invoke(held);
    }
}
