using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>The few fields that an answer is compared by.</summary>
internal readonly record struct Answer(
    ErrorCode Error,
    Outcome Outcome,
    long Token = 0,
    long Revision = 0,
    long Version = 0,
    long SessionId = 0,
    string Floors = "0",
    int Holds = 0)
{
    public static Answer Of(CommandResult result) => new(
        result.Error,
        result.Outcome,
        result.Token,
        result.Revision,
        result.Version,
        result.SessionId,
        string.Join(' ', result.AlsoFloors.Prepend(result.Floor)),
        result.Holds);

    public static Answer Refused(ErrorCode error) => new(error, Outcome.None);
}

/// <summary>
/// The rules of the state once more, as plainly as they can be said: one list of sessions, one list of claims in the
/// order of their entries, everything found by looking through all of it.
/// </summary>
internal sealed partial class NaiveModel(StateSettings settings)
{
    private readonly List<ModelSession> _sessions = [];
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
        ClearHoldingEffects();
        _logTime = Math.Max(_logTime, stamp);
        if (stamp != 0)
            EndDue();
        Answer answer = Execute(command);
        Serve();
        Config.Tidy(_logTime);
        TellElections();
        int ended = WaitsEnded.FindIndex(wait => wait.Entry == index);
        if (ended >= 0)
            return WaitsEnded[ended].Answer;
        ModelRequest? now = _sessions.Find(s => s.Id == command.SessionId)?.Requests.GetValueOrDefault(command.RequestId);
        return answer.Outcome == Outcome.Queued && now is not null ? now.Answer : answer;
    }

    private void EndDue()
    {
        while (true)
        {
            ModelSession? session = _sessions.Where(s => s.Due <= _logTime).MinBy(s => (s.Due, s.Id));
            ModelClaim? claim = _claims.Where(c => c.Due <= _logTime).MinBy(c => (c.Due, c.Entry));
            if (session is null && claim is null)
                break;
            if (claim is null || (session is not null && (session.Due, session.Id).CompareTo((claim.Due, claim.Entry)) < 0))
                End(session!, expired: true);
            else if (claim.Waits)
                EndWait(claim, NotAcquired);
            else
                EndOverdue(claim);
        }
        foreach ((HoldingKind, string) over in _delays.Where(d => d.Value <= _logTime).Select(d => d.Key).ToArray())
            _delays.Remove(over);
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
            return new Answer(ErrorCode.Ok, Outcome.None);
        }
        if (command.AdvanceTime is not null)
            return new Answer(ErrorCode.Ok, Outcome.None);
        if (command.SessionId == 0 && HoldingOutsideSession(command) is { } answer)
            return answer;
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
                End(session, expired: false);
                return new Answer(ErrorCode.Ok, Outcome.Done);
            case Command.OperationOneofCase.PutConfig or Command.OperationOneofCase.DeleteConfig
                or Command.OperationOneofCase.Transaction or Command.OperationOneofCase.CompactConfig
                or Command.OperationOneofCase.RollBackConfig:
                return Config.Execute(command, session.Id, _logTime);
            default:
                return HoldingInSession(session, command);
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

    private static string What(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.PutConfig => $"put {command.PutConfig.Key}",
        Command.OperationOneofCase.DeleteConfig => $"delete {command.DeleteConfig.Key}",
        Command.OperationOneofCase.Transaction => WhatOf(command.Transaction),
        Command.OperationOneofCase.RollBackConfig => $"roll back {command.RollBackConfig.Prefix}",
        _ => WhatOfHolding(command),
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

    private sealed record ModelRequest(string What, Answer Answer);
}
