namespace Coordinator.Contracts;

/// <summary>
/// What must hold of a command whatever the state. Client, silo and replica ask the same question, so that a command
/// refused by one is refused by all.
/// </summary>
public static partial class CommandRules
{
    private const long MicrosecondsPerTick = TimeSpan.TicksPerMicrosecond;

    /// <summary>Bytes of a session's nonce, when it has one.</summary>
    public const int NonceBytes = 16;

    /// <summary>Wait of an acquire until it is granted, cancelled, or its session ends.</summary>
    public const long UnboundedWait = -1;

    /// <summary>Bytes of a peer's storage id.</summary>
    public const int StorageIdBytes = 16;

    /// <summary>Most peers that one change is about.</summary>
    public const int PeerChangesMax = 16;

    public static readonly long TtlMinUs = Limits.TtlMin.Ticks / MicrosecondsPerTick;
    public static readonly long TtlMaxUs = Limits.TtlMax.Ticks / MicrosecondsPerTick;
    public static readonly long WaitMaxUs = Limits.WaitMax.Ticks / MicrosecondsPerTick;

    /// <summary>Null when <paramref name="command"/> may be applied; otherwise why not.</summary>
    public static (ErrorCode Code, string Message)? Check(Command command)
    {
        if (command.SessionId < 0 || command.RequestId < 0 || command.AnsweredBelow < 0)
            return Invalid("session_id, request_id and answered_below may not be negative.");
        if (ResourceName.LabelProblem(command.Caller) is { } callerProblem)
            return Invalid($"caller: {callerProblem}");
        return command.OperationCase switch
        {
            Command.OperationOneofCase.CreateSession => OutsideSession(command) ?? CheckCreate(command.CreateSession),
            Command.OperationOneofCase.KeepAlive => OutsideSession(command) ?? CheckKeepAlive(command.KeepAlive),
            Command.OperationOneofCase.AdvanceTime => OutsideSession(command),
            Command.OperationOneofCase.EndSession => InSession(command),
            Command.OperationOneofCase.AcquireLock => InSession(command) ?? HoldingRules.Check(command.AcquireLock),
            Command.OperationOneofCase.ReleaseLock => InSession(command) ?? HoldingRules.Check(command.ReleaseLock),
            Command.OperationOneofCase.CancelWait => InSession(command) ?? CheckCancel(command),
            Command.OperationOneofCase.PutConfig => CheckPut(command, command.PutConfig),
            Command.OperationOneofCase.DeleteConfig => CheckDelete(command.DeleteConfig),
            Command.OperationOneofCase.Transaction => CheckTransaction(command),
            Command.OperationOneofCase.CompactConfig => CheckRevision(command.CompactConfig.Revision),
            Command.OperationOneofCase.RollBackConfig => CheckRollBack(command.RollBackConfig),
            Command.OperationOneofCase.ChangePeers => OutsideSession(command) ?? CheckPeers(command.ChangePeers),
            Command.OperationOneofCase.RaiseFeatureLevel => OutsideSession(command) ?? CheckRaise(command.RaiseFeatureLevel),
            Command.OperationOneofCase.CheckState => OutsideSession(command) ?? CheckCheck(command.CheckState),
            Command.OperationOneofCase.DowngradeLock => InSession(command) ?? HoldingRules.Check(command.DowngradeLock),
            Command.OperationOneofCase.ForceRelease => HoldingRules.Check(command.ForceRelease),
            Command.OperationOneofCase.RequestRelease => HoldingRules.Check(command.RequestRelease),
            Command.OperationOneofCase.AcquireLease => OutsideSession(command) ?? HoldingRules.Check(command.AcquireLease),
            Command.OperationOneofCase.RenewLease => OutsideSession(command)
                ?? HoldingRules.CheckLease(command.RenewLease.Name, command.RenewLease.LeaseId),
            Command.OperationOneofCase.ReleaseLease => OutsideSession(command)
                ?? HoldingRules.CheckLease(command.ReleaseLease.Name, command.ReleaseLease.LeaseId),
            Command.OperationOneofCase.Proclaim => InSession(command) ?? HoldingRules.Check(command.Proclaim),
            Command.OperationOneofCase.HandOver => InSession(command) ?? HoldingRules.Check(command.HandOver),
            _ => Invalid("The command has no operation, or one that this version does not know."),
        };
    }

    /// <summary>
    /// As <see cref="Check"/>, for a command that comes from outside: only a leader proposes gathered keep-alives, whose
    /// as_of_us is believed, the passing of time, feature levels and checks of the state; and the group's peers are the
    /// operator's business.
    /// </summary>
    public static (ErrorCode Code, string Message)? CheckFromClient(Command command) =>
        command.OperationCase is Command.OperationOneofCase.KeepAlive or Command.OperationOneofCase.AdvanceTime
            or Command.OperationOneofCase.ChangePeers
            or Command.OperationOneofCase.RaiseFeatureLevel or Command.OperationOneofCase.CheckState
            ? Invalid($"{command.OperationCase} is not for clients.")
            : Check(command) ?? CheckAnswered(command);

    // Nobody can have the answer to a request before making it; believed, it would drop results that are still needed.
    private static (ErrorCode, string)? CheckAnswered(Command command) => command.AnsweredBelow <= command.RequestId
        ? null
        : Invalid("answered_below (answeredBelow) may not be above the request's own id, which has to be given with it.");

    private static (ErrorCode, string)? OutsideSession(Command command) =>
        command.SessionId == 0 ? null : Invalid($"{command.OperationCase} is no request of a session: session_id must be 0.");

    private static (ErrorCode, string)? InSession(Command command) =>
        command.SessionId != 0 ? null : Invalid($"{command.OperationCase} needs a session_id.");

    private static (ErrorCode, string)? CheckCreate(CreateSession create)
    {
        if (create.Nonce.Length is not (0 or NonceBytes))
            return Invalid($"The nonce has {create.Nonce.Length} bytes; it must have {NonceBytes}, or none.");
        if (create.TtlUs < TtlMinUs || create.TtlUs > TtlMaxUs)
            return (ErrorCode.InvalidTtl,
                $"A TTL of {create.TtlUs} µs is not between {TtlMinUs} (0.5 s) and {TtlMaxUs} (1 day).");
        return ResourceName.LabelProblem(create.Metadata) is { } problem ? Invalid($"metadata: {problem}") : null;
    }

    private static (ErrorCode, string)? CheckKeepAlive(KeepAlive keepAlive) =>
        keepAlive.AsOfUs < 0 ? Invalid("as_of_us may not be negative.") : null;

    private static (ErrorCode, string)? CheckCancel(Command command)
    {
        CancelWait cancel = command.CancelWait;
        bool hasTarget = cancel.TargetCase switch
        {
            CancelWait.TargetOneofCase.RequestId => cancel.RequestId > 0 && cancel.RequestId != command.RequestId,
            CancelWait.TargetOneofCase.EntryIndex => cancel.EntryIndex > 0,
            _ => false,
        };
        return hasTarget ? null : Invalid("A cancel names the request_id or the entry_index of another request.");
    }

    private static (ErrorCode, string)? CheckPeers(ChangePeers change)
    {
        if (change.Changes.Count is 0 or > PeerChangesMax)
            return Invalid($"{change.Changes.Count} peers are to change; 1 to {PeerChangesMax} can at once.");
        var peers = new HashSet<long>();
        foreach (PeerChange one in change.Changes)
        {
            long peer = PeerOf(one);
            if (peer <= 0 || peer == long.MaxValue)
                return Invalid($"{peer} is no peer id.");
            if (!peers.Add(peer))
                return Invalid($"Peer {peer} is to change twice.");
            if (one.Add is { } add && CheckAdd(add) is { } problem)
                return problem;
        }
        return null;
    }

    private static long PeerOf(PeerChange change) => change.ChangeCase switch
    {
        PeerChange.ChangeOneofCase.Add => change.Add.PeerId,
        PeerChange.ChangeOneofCase.Promote => change.Promote,
        PeerChange.ChangeOneofCase.Demote => change.Demote,
        PeerChange.ChangeOneofCase.Remove => change.Remove,
        _ => 0,
    };

    private static (ErrorCode, string)? CheckAdd(AddPeer add) =>
        add.StorageId.Length != StorageIdBytes ? Invalid($"storage_id has {add.StorageId.Length} bytes; it must have {StorageIdBytes}.")
        : ResourceName.LabelProblem(add.Silo) is { } problem ? Invalid($"silo: {problem}")
        : null;

    private static (ErrorCode, string)? CheckRaise(RaiseFeatureLevel raise) =>
        raise.Level < 1 ? Invalid("The feature level must be at least 1.") : null;

    private static (ErrorCode, string)? CheckCheck(CheckState check) =>
        check.VerifiedIndex < 0 ? Invalid("verified_index may not be negative.") : null;

    private static (ErrorCode, string)? CheckName(string name) =>
        ResourceName.Problem(name) is { } problem ? (ErrorCode.InvalidName, problem) : null;

    private static (ErrorCode, string) Invalid(string message) => (ErrorCode.InvalidRequest, message);
}
