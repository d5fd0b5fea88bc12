using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>Applying an entry: its stamp, then its command, then the queues that both have moved.</summary>
public sealed partial class CoordinationState
{
    private static readonly CommandResult Nothing = new();

    /// <summary>Applies the entry after <see cref="AppliedIndex"/>.</summary>
    /// <param name="stampUs">The entry's stamp; 0: none, nothing becomes due.</param>
    /// <param name="command">Null: an empty entry, or one that changes the membership.</param>
    /// <param name="effects">What happened to others is added at its end.</param>
    /// <exception cref="InvalidOperationException">The entry does not follow the last one.</exception>
    public ApplyResult Apply(long index, Term term, long stampUs, Command? command, ApplyEffects effects) =>
        Apply(index, term, stampUs, command, change: null, effects);

    /// <summary>Applies a membership entry.</summary>
    /// <param name="command">What it carries as context; null: Raft's own change, out of a joint configuration.</param>
    /// <param name="change">Takes effect in Raft too exactly if this sets <see cref="ApplyEffects.PeersChanged"/>.</param>
    /// <inheritdoc cref="Apply(long, Term, long, Command?, ApplyEffects)"/>
    public ApplyResult Apply(
        long index, Term term, long stampUs, Command? command, ConfChangeV2? change, ApplyEffects effects)
    {
        if (index != AppliedIndex + 1 || term < AppliedTerm || stampUs < 0)
        {
            throw new InvalidOperationException(
                $"Entry {index} of term {term} with stamp {stampUs} cannot follow {AppliedIndex} of term {AppliedTerm}.");
        }
        AppliedIndex = index;
        AppliedTerm = term;
        if (stampUs > LogTimeUs)
            LogTimeUs = stampUs;
        if (command is not null && _planted != SeededBug.LevelNotReplicated)
            command = FeatureLevels.AsReadAt(FeatureLevel, command);
        var context = new ApplyContext(index, LogTimeUs, effects);
        EffectCounts before = EffectCounts.Of(effects);

        if (stampUs != 0)
            EndWhatIsDue(context);
        ApplyResult result = change is not null ? ExecuteChange(command, change, context)
            : command is null ? new ApplyResult(Nothing, 0)
            : Execute(command, context);
        Holdings.Serve(context);
        Config.Tidy(LogTimeUs);
        if (result.WaitIndex != 0)
            result = FinalIfEnded(result, effects, before.WaitsEnded);

        HashEntry(stampUs, command, result.Result);
        before.HashAllSince(effects, ref _hash);
        return result;
    }

    /// <summary>
    /// Whether <paramref name="command"/> repeats a request whose result is stored or whose wait lasts: then applying
    /// it now would give <paramref name="result"/> and do nothing (rule 14). Cancels are never stored: they repeat safely.
    /// </summary>
    public bool TryGetStoredResult(Command command, out ApplyResult result)
    {
        result = default;
        if (command.RequestId == 0
            || command.RequestId < command.AnsweredBelow
            || Sessions.Find(command.SessionId) is not { } session)
        {
            return false;
        }
        if (!session.Requests.TryGet(command.RequestId, out StoredRequest stored)
            || !stored.Fingerprint.Matches(Fingerprint.Of(command)))
        {
            return false;
        }
        result = stored.Result.ToApplyResult(stored.WaitIndex);
        return true;
    }

    // In the order of (time, id); nothing is granted before all of it has ended (rule 17).
    private void EndWhatIsDue(in ApplyContext context)
    {
        while (_due.PeekDue(context.LogTimeUs) is { } item)
        {
            if (item is Session session)
                EndSession(session, SessionEndReason.Expired, context);
            else
                Holdings.EndDue(item, context);
        }
    }

    private void EndSession(Session session, SessionEndReason reason, in ApplyContext context)
    {
        Holdings.EndAllOf(session, reason, context);
        ConfigCommands.EndSession(session, context);
        Sessions.Remove(session);
        context.Effects.SessionsEnded.Add(new EndedSession(session.Id, reason));
    }

    private ApplyResult Execute(Command command, in ApplyContext context)
    {
        // The leader has checked this, but whether it holds may not depend on the leader's version.
        if (CommandRules.Check(command) is { } refusal)
            return Refuse(refusal.Code, refusal.Message);
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.CreateSession:
                CommandResult created = Sessions.Create(command, context);
                return created.Error == ErrorCode.Ok ? new ApplyResult(created, 0) : Refuse(created.Error);
            case Command.OperationOneofCase.KeepAlive:
                Sessions.KeepAlive(command.KeepAlive);
                return new ApplyResult(Nothing, 0);
            case Command.OperationOneofCase.RaiseFeatureLevel:
                FeatureLevel = Math.Max(FeatureLevel, command.RaiseFeatureLevel.Level);
                return new ApplyResult(Nothing, 0);
            case Command.OperationOneofCase.AdvanceTime:
            case Command.OperationOneofCase.CheckState:
                return new ApplyResult(Nothing, 0);
            case Command.OperationOneofCase.AcquireLease:
                return Holdings.AcquireLease(command.AcquireLease, context);
            case Command.OperationOneofCase.RenewLease:
                return Holdings.RenewLease(command.RenewLease, context);
            case Command.OperationOneofCase.ReleaseLease:
                return Holdings.ReleaseLease(command.ReleaseLease, context);
            case Command.OperationOneofCase.ForceRelease when command.SessionId == 0:
                return Holdings.ForceRelease(command.ForceRelease, command.Caller, ForcedReleases, context).ToApplyResult();
            case Command.OperationOneofCase.RequestRelease when command.SessionId == 0:
                return Holdings.RequestRelease(command.RequestRelease, context).ToApplyResult();
            case Command.OperationOneofCase.ChangePeers:
                return Refuse(ErrorCode.PeerChangeRefused, "Peers change by membership entries alone.");
            case var operation when command.SessionId == 0 && ConfigCommands.Knows(operation):
                return WithOperations(ConfigCommands.Execute(command, session: null, context).ToApplyResult());
            default:
                return Sessions.Find(command.SessionId) is { } session
                    ? WithOperations(ExecuteOnce(session, command, context))
                    : Refuse(ErrorCode.SessionNotFound);
        }
    }

    private ApplyResult ExecuteChange(Command? command, ConfChangeV2 change, in ApplyContext context)
    {
        GroupMembership? next;
        var result = new ApplyResult(Nothing, 0);
        if (command is null)
        {
            next = PeerChanges.Apply(Membership, change);
        }
        else
        {
            if (CommandRules.Check(command) is { } refusal)
                return Refuse(refusal.Code, refusal.Message);
            if (command.ChangePeers is null)
                return Refuse(ErrorCode.InvalidRequest, "A membership entry carries a change of peers.");
            (next, OperationResult changed, string? message) = PeerChanges.Apply(Membership, command.ChangePeers);
            result = changed.ToApplyResult();
            if (message is not null)
                result = result with { Message = message };
        }
        if (next is null)
            return result;
        Membership = next;
        Memberships.AddTo(ref _hash, next);
        context.Effects.PeersChanged = true;
        return result;
    }

    // Rule 14: what is repeated gets its result again; what is older than the answers, or another operation under a
    // used id, is refused; only the rest is executed.
    private ApplyResult ExecuteOnce(Session session, Command command, in ApplyContext context)
    {
        RequestTable requests = session.Requests;
        requests.Forget(command.AnsweredBelow);
        if (command.RequestId == 0)
            return ExecuteInSession(session, command, context).ToApplyResult(context.Index);
        if (command.RequestId < requests.AnsweredBelow)
            return Refuse(ErrorCode.RequestIdStale);
        Fingerprint fingerprint = Fingerprint.Of(command);
        if (requests.TryGet(command.RequestId, out StoredRequest stored) && _planted != SeededBug.RepeatsExecutedAgain)
        {
            return stored.Fingerprint.Matches(fingerprint)
                ? stored.Result.ToApplyResult(stored.WaitIndex)
                : Refuse(ErrorCode.RequestMismatch);
        }
        // A cancel leaves its result with the acquire, an end of the session leaves nothing: neither takes a place.
        bool isStored = command.OperationCase
            is not (Command.OperationOneofCase.CancelWait or Command.OperationOneofCase.EndSession);
        if (isStored && requests.Count >= Settings.OpenRequestsPerSession)
            return Refuse(ErrorCode.TooManyOpenRequests);

        OperationResult result = ExecuteInSession(session, command, context);
        isStored &= _planted != SeededBug.RefusalsNotKept || result.Error != ErrorCode.ConditionFailed;
        if (isStored && (_planted != SeededBug.RepeatsExecutedAgain || !requests.TryGet(command.RequestId, out _)))
        {
            long waitIndex = result.Outcome == Outcome.Queued ? context.Index : 0;
            requests.Add(new StoredRequest(command.RequestId, fingerprint, result, waitIndex));
        }
        return result.ToApplyResult(context.Index);
    }

    private OperationResult ExecuteInSession(Session session, Command command, in ApplyContext context)
    {
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.EndSession:
                EndSession(session, SessionEndReason.Closed, context);
                return new OperationResult(ErrorCode.Ok, Outcome.Done);
            case Command.OperationOneofCase.AcquireLock:
                return Holdings.Acquire(session, command.AcquireLock, command.RequestId, context);
            case Command.OperationOneofCase.ReleaseLock:
                return Holdings.Release(session, command.ReleaseLock, context);
            case Command.OperationOneofCase.CancelWait:
                return Holdings.Cancel(session, command.CancelWait, context);
            case Command.OperationOneofCase.DowngradeLock:
                return Holdings.Downgrade(session, command.DowngradeLock);
            case Command.OperationOneofCase.ForceRelease:
                return Holdings.ForceRelease(command.ForceRelease, command.Caller, ForcedReleases, context);
            case Command.OperationOneofCase.RequestRelease:
                return Holdings.RequestRelease(command.RequestRelease, context);
            case Command.OperationOneofCase.Proclaim:
                return Holdings.Proclaim(session, command.Proclaim);
            case Command.OperationOneofCase.HandOver:
                return Holdings.HandOver(session, command.HandOver, context);
            case var operation when ConfigCommands.Knows(operation):
                return ConfigCommands.Execute(command, session, context);
            default:
                throw new InvalidOperationException($"{command.OperationCase} passed the rules but is no operation.");
        }
    }

    // What a transaction found is told once and not kept with its result: that never holds values (rule 14).
    private ApplyResult WithOperations(ApplyResult result)
    {
        result.Result.Operations.AddRange(ConfigCommands.TakeOperations());
        return result;
    }

    // An acquire that was found waiting, or took its place in line, can be granted by the same entry, when its stamp or
    // its command ended a holder: then this is the answer, and the wait's own end is among the effects.
    private static ApplyResult FinalIfEnded(ApplyResult queued, ApplyEffects effects, int waitsBefore)
    {
        for (int i = waitsBefore; i < effects.WaitsEnded.Count; i++)
        {
            if (effects.WaitsEnded[i].EntryIndex == queued.WaitIndex)
                return FinalResult(effects.WaitsEnded[i].Result);
        }
        return queued;
    }

    private static ApplyResult FinalResult(CommandResult result) =>
        new(result, 0, result.Error == ErrorCode.Ok ? null : ErrorText.Of(result.Error));

    private static ApplyResult Refuse(ErrorCode code, string? message = null) =>
        new(new CommandResult { Error = code }, 0, message ?? ErrorText.Of(code));

    private void HashEntry(long stampUs, Command? command, CommandResult result)
    {
        _hash.Add(AppliedIndex);
        _hash.Add(AppliedTerm.Value);
        _hash.Add(stampUs);
        if (command is not null)
        {
            Fingerprint fingerprint = Fingerprint.Of(command);
            _hash.Add(((long)fingerprint.Kind << 32) ^ command.RequestId);
            _hash.Add(fingerprint.NameHash);
            _hash.Add(command.SessionId);
            if (command.OperationCase == Command.OperationOneofCase.KeepAlive)
                HashKeepAlive(command.KeepAlive);
            else if (ConfigCommands.Knows(command.OperationCase))
                ConfigHash.Add(ref _hash, command);
            else
                HashGroupCommand(command);
        }
        HashResult(result);
    }

    private void HashGroupCommand(Command command)
    {
        if (command.OperationCase == Command.OperationOneofCase.RaiseFeatureLevel)
        {
            _hash.Add((long)command.RaiseFeatureLevel.Level);
        }
        else if (command.OperationCase == Command.OperationOneofCase.CheckState)
        {
            _hash.Add(command.CheckState.VerifiedIndex);
            _hash.Add(command.CheckState.VerifiedHash);
        }
    }

    private void HashKeepAlive(KeepAlive keepAlive)
    {
        _hash.Add(keepAlive.AsOfUs);
        foreach (long sessionId in keepAlive.SessionIds)
            _hash.Add(sessionId);
    }

    private void HashResult(CommandResult result) => result.AddTo(ref _hash);
}
