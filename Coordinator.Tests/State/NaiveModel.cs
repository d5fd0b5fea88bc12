using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>The few fields that an answer is compared by.</summary>
internal readonly record struct Answer(
    ErrorCode Error, Outcome Outcome, long Token = 0, long Revision = 0, long Version = 0, long SessionId = 0)
{
    public static Answer Of(CommandResult result) =>
        new(result.Error, result.Outcome, result.Token, result.Revision, result.Version, result.SessionId);

    public static Answer Refused(ErrorCode error) => new(error, Outcome.None);
}

/// <summary>
/// The rules of the state once more, as plainly as they can be said: one list of sessions, one list of claims in the
/// order of their entries, everything found by looking through all of it.
/// </summary>
internal sealed class NaiveModel(StateSettings settings)
{
    private readonly List<ModelSession> _sessions = [];
    private readonly List<ModelClaim> _claims = [];
    private long _logTime;
    private long _index;

    public NaiveConfig Config { get; } = new(settings);

    public List<(long Entry, Answer Answer)> WaitsEnded { get; } = [];

    public List<long> SessionsEnded { get; } = [];

    public Answer Apply(long index, long stamp, Command command)
    {
        _index = index;
        WaitsEnded.Clear();
        Config.Operations.Clear();
        SessionsEnded.Clear();
        _logTime = Math.Max(_logTime, stamp);
        if (stamp != 0)
            EndDue();
        Answer answer = Execute(command);
        Serve();
        Config.Tidy(_logTime);
        ModelRequest? now = _sessions.Find(s => s.Id == command.SessionId)?.Requests.GetValueOrDefault(command.RequestId);
        return answer.Outcome == Outcome.Queued && now is not null ? now.Answer : answer;
    }

    private void EndDue()
    {
        while (true)
        {
            ModelSession? session = _sessions.Where(s => s.Due <= _logTime).MinBy(s => (s.Due, s.Id));
            ModelClaim? wait = _claims.Where(c => c.Waits && c.Due <= _logTime).MinBy(c => (c.Due, c.Entry));
            if (session is null && wait is null)
                return;
            if (wait is null || (session is not null && (session.Due, session.Id).CompareTo((wait.Due, wait.Entry)) < 0))
                End(session!);
            else
                EndWait(wait, new Answer(ErrorCode.LockNotAcquired, Outcome.NotAcquired));
        }
    }

    private Answer Execute(Command command)
    {
        if (CommandRules.Check(command) is { } refusal)
            return Answer.Refused(refusal.Code);
        if (command.CreateSession is { } create)
            return Create(create);
        if (command.KeepAlive is { } keepAlive)
        {
            foreach (ModelSession kept in _sessions.Where(s => keepAlive.SessionIds.Contains(s.Id)))
                kept.Due = Math.Max(kept.Due, keepAlive.AsOfUs + kept.Ttl);
            return default;
        }
        if (command.AdvanceTime is not null)
            return default;
        if (command.SessionId == 0)
            return Config.Execute(command, 0, _logTime);
        ModelSession? session = _sessions.Find(s => s.Id == command.SessionId);
        return session is null ? Answer.Refused(ErrorCode.SessionNotFound) : Once(session, command);
    }

    private Answer Once(ModelSession session, Command command)
    {
        session.AnsweredBelow = Math.Max(session.AnsweredBelow, command.AnsweredBelow);
        foreach (long answered in session.Requests.Keys.Where(id => id < session.AnsweredBelow).ToArray())
            session.Requests.Remove(answered);
        if (command.RequestId == 0)
            return InSession(session, command);
        if (command.RequestId < session.AnsweredBelow)
            return Answer.Refused(ErrorCode.RequestIdStale);
        string what = What(command);
        if (session.Requests.TryGetValue(command.RequestId, out ModelRequest? known))
        {
            bool same = known.What == what || (known.What == "acquire *" && command.AcquireLock is not null);
            return same ? known.Answer : Answer.Refused(ErrorCode.RequestMismatch);
        }
        bool kept = command.CancelWait is null && command.EndSession is null;
        if (kept && session.Requests.Count == settings.OpenRequestsPerSession)
            return Answer.Refused(ErrorCode.TooManyOpenRequests);
        Answer answer = InSession(session, command);
        if (kept)
            session.Requests.Add(command.RequestId, new ModelRequest(what, answer));
        return answer;
    }

    private Answer InSession(ModelSession session, Command command)
    {
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.EndSession:
                End(session);
                return new Answer(ErrorCode.Ok, Outcome.Done);
            case Command.OperationOneofCase.AcquireLock:
                return Acquire(session, command.AcquireLock, command.RequestId);
            case Command.OperationOneofCase.ReleaseLock:
                return Release(session, command.ReleaseLock);
            case Command.OperationOneofCase.CancelWait:
                return Cancel(session, command.CancelWait);
            default:
                return Config.Execute(command, session.Id, _logTime);
        }
    }

    private Answer Create(CreateSession create)
    {
        string nonce = create.Nonce.ToBase64();
        ModelSession? session = nonce.Length == 0 ? null : _sessions.Find(s => s.Nonce == nonce);
        if (session is not null)
        {
            session.Due = Math.Max(session.Due, _logTime + session.Ttl);
        }
        else
        {
            if (_sessions.Count == settings.SessionsMax)
                return Answer.Refused(ErrorCode.TooManySessions);
            session = new ModelSession(_index, create.TtlUs, nonce) { Due = _logTime + create.TtlUs };
            _sessions.Add(session);
        }
        return new Answer(ErrorCode.Ok, Outcome.Done, SessionId: session.Id);
    }

    private Answer Acquire(ModelSession session, AcquireLock acquire, long request)
    {
        ModelClaim[] there = [.. _claims.Where(c => c.Name == acquire.Name)];
        if (there.FirstOrDefault(c => c.Session == session) is { } own)
            return Answer.Refused(ErrorCode.LockAlreadyHeld) with { Token = own.Token };
        if (_claims.Count(c => c.Session == session) == settings.HoldingsPerSession)
            return Answer.Refused(ErrorCode.TooManyHoldings);
        if (there.Length > 0 && acquire.WaitUs == 0)
            return new Answer(ErrorCode.LockNotAcquired, Outcome.NotAcquired);
        if (there.Count(c => c.Waits) == settings.WaitersPerResource)
            return Answer.Refused(ErrorCode.TooManyWaiters);
        var claim = new ModelClaim(_index, session, acquire.Name, request)
        {
            Due = acquire.WaitUs > 0 ? _logTime + acquire.WaitUs : long.MaxValue,
            Token = there.Length == 0 ? _index : 0,
        };
        _claims.Add(claim);
        return claim.Waits ? new Answer(ErrorCode.Ok, Outcome.Queued) : Granted(claim);
    }

    private Answer Release(ModelSession session, ReleaseLock release)
    {
        ModelClaim? held = _claims.Find(
            c => c.Session == session && c.Name == release.Name && !c.Waits && release.Token is var t && (t == 0 || t == c.Token));
        if (held is null)
            return Answer.Refused(ErrorCode.LockNotHeld);
        _claims.Remove(held);
        return new Answer(ErrorCode.Ok, Outcome.Released, held.Token);
    }

    private Answer Cancel(ModelSession session, CancelWait cancel)
    {
        bool byRequest = cancel.TargetCase == CancelWait.TargetOneofCase.RequestId;
        ModelClaim? claim = _claims.Find(
            c => c.Session == session && (byRequest ? c.Request == cancel.RequestId : c.Entry == cancel.EntryIndex));
        var cancelled = new Answer(ErrorCode.Ok, Outcome.Cancelled);
        if (claim is null)
            return byRequest ? CancelNothing(session, cancel.RequestId) : Answer.Refused(ErrorCode.NotWaiting);
        if (claim.Waits)
        {
            EndWait(claim, cancelled);
            return cancelled;
        }
        if (!cancel.ReleaseIfGranted)
            return Granted(claim);
        _claims.Remove(claim);
        Complete(claim, cancelled with { Token = claim.Token });
        return cancelled with { Token = claim.Token };
    }

    private Answer CancelNothing(ModelSession session, long request)
    {
        if (request < session.AnsweredBelow)
            return Answer.Refused(ErrorCode.NotWaiting);
        if (session.Requests.TryGetValue(request, out ModelRequest? known))
        {
            if (!known.What.StartsWith("acquire", StringComparison.Ordinal))
                return Answer.Refused(ErrorCode.RequestMismatch);
            return known.Answer.Outcome == Outcome.Cancelled ? known.Answer : Answer.Refused(ErrorCode.NotWaiting);
        }
        if (session.Requests.Count == settings.OpenRequestsPerSession)
            return Answer.Refused(ErrorCode.TooManyOpenRequests);
        var cancelled = new Answer(ErrorCode.Ok, Outcome.Cancelled);
        session.Requests.Add(request, new ModelRequest("acquire *", cancelled));
        return cancelled;
    }

    private void End(ModelSession session)
    {
        foreach (ModelClaim wait in _claims.Where(c => c.Session == session && c.Waits).ToArray())
            EndWait(wait, Answer.Refused(ErrorCode.SessionNotFound));
        _claims.RemoveAll(c => c.Session == session);
        _sessions.Remove(session);
        Config.EndSession(session.Id, _logTime);
        SessionsEnded.Add(session.Id);
    }

    private void EndWait(ModelClaim wait, Answer answer)
    {
        _claims.Remove(wait);
        Complete(wait, answer);
        WaitsEnded.Add((wait.Entry, answer));
    }

    private void Serve()
    {
        foreach (string name in _claims.Select(c => c.Name).Distinct().Order(StringComparer.Ordinal).ToArray())
        {
            ModelClaim[] there = [.. _claims.Where(c => c.Name == name)];
            if (there.Any(c => !c.Waits))
                continue;
            there[0].Token = _index;
            Complete(there[0], Granted(there[0]));
            WaitsEnded.Add((there[0].Entry, Granted(there[0])));
        }
    }

    private static Answer Granted(ModelClaim claim) => new(ErrorCode.Ok, Outcome.Granted, claim.Token);

    private static void Complete(ModelClaim claim, Answer answer)
    {
        if (claim.Session.Requests.TryGetValue(claim.Request, out ModelRequest? request))
            claim.Session.Requests[claim.Request] = request with { Answer = answer };
    }

    private static string What(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.AcquireLock => $"acquire {command.AcquireLock.Name}",
        Command.OperationOneofCase.ReleaseLock => $"release {command.ReleaseLock.Name}",
        Command.OperationOneofCase.PutConfig => $"put {command.PutConfig.Key}",
        Command.OperationOneofCase.DeleteConfig => $"delete {command.DeleteConfig.Key}",
        Command.OperationOneofCase.Transaction => WhatOf(command.Transaction),
        Command.OperationOneofCase.RollBackConfig => $"roll back {command.RollBackConfig.Prefix}",
        _ => $"{command.OperationCase}",
    };

    private static string WhatOf(Transaction transaction) =>
        $"if {string.Join(',', transaction.Compares.Select(c => c.Key))} then {transaction.Then.Count} "
        + string.Join(',', transaction.Then.Concat(transaction.Else).Select(
            o => $"{o.OperationCase} {o.Put?.Key ?? o.Delete?.Key ?? o.DeletePrefix?.Prefix ?? o.Get?.Key}"));

    private sealed class ModelSession(long id, long ttl, string nonce)
    {
        public long Id => id;

        public long Ttl => ttl;

        public string Nonce => nonce;

        public long Due { get; set; }

        public long AnsweredBelow { get; set; }

        public Dictionary<long, ModelRequest> Requests { get; } = [];
    }

    private sealed class ModelClaim(long entry, ModelSession session, string name, long request)
    {
        public long Entry => entry;

        public ModelSession Session => session;

        public string Name => name;

        public long Request => request;

        public long Due { get; init; }

        public long Token { get; set; }

        public bool Waits => Token == 0;
    }

    private sealed record ModelRequest(string What, Answer Answer);
}
