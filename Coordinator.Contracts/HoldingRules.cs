namespace Coordinator.Contracts;

/// <summary>The part of <see cref="CommandRules"/> that is about holdings.</summary>
internal static class HoldingRules
{
    private static readonly long HoldMaxUs = Limits.HoldMax.Ticks / TimeSpan.TicksPerMicrosecond;
    private static readonly long LockDelayMaxUs = Limits.LockDelayMax.Ticks / TimeSpan.TicksPerMicrosecond;

    public static (ErrorCode, string)? Check(AcquireLock acquire)
    {
        if (acquire.WaitUs < CommandRules.UnboundedWait || acquire.WaitUs > CommandRules.WaitMaxUs)
            return (ErrorCode.InvalidWait,
                $"A wait of {acquire.WaitUs} µs is neither 0 (try), up to {CommandRules.WaitMaxUs} (1 day), nor -1 (unbounded).");
        return CheckLabel("label", acquire.Label)
            ?? CheckLabel("trace_id", acquire.TraceId)
            ?? CheckHoldTime("max_hold_us", acquire.MaxHoldUs, HoldMaxUs)
            ?? CheckHoldTime("lock_delay_us", acquire.LockDelayUs, LockDelayMaxUs)
            ?? CheckPart(acquire.Kind, acquire.Name, acquire.Shared, acquire.Permits, acquire.Limit)
            ?? CheckValue(acquire)
            ?? CheckVariant(acquire)
            ?? CheckAlso(acquire);
    }

    public static (ErrorCode, string)? Check(ReleaseLock release)
    {
        if (release.Kind == HoldingKind.Lease)
            return Invalid("A lease is released by ReleaseLease.");
        if (release.Permits < 0 || (release.Permits > 0 && release.Kind != HoldingKind.Semaphore))
            return (ErrorCode.InvalidPermits, $"{release.Permits} permits of a {release.Kind} cannot be released.");
        return CheckHolding(release.Kind, release.Name, release.Token);
    }

    public static (ErrorCode, string)? Check(DowngradeLock downgrade) =>
        CheckHolding(HoldingKind.Lock, downgrade.Name, downgrade.Token);

    public static (ErrorCode, string)? Check(ForceRelease force) =>
        CheckHolding(force.Kind, force.Name, force.Token) ?? CheckLabel("reason", force.Reason);

    public static (ErrorCode, string)? Check(RequestRelease request) =>
        CheckHolding(request.Kind, request.Name, request.Token) ?? CheckLabel("reason", request.Reason);

    public static (ErrorCode, string)? Check(Proclaim proclaim) =>
        CheckHolding(HoldingKind.Election, proclaim.Name, proclaim.Token) ?? CheckLabel("value", proclaim.Value);

    public static (ErrorCode, string)? Check(HandOver handOver) =>
        handOver.ToSessionId <= 0
            ? Invalid("to_session_id names no session.")
            : CheckHolding(HoldingKind.Election, handOver.Name, handOver.Token);

    public static (ErrorCode, string)? Check(AcquireLease acquire)
    {
        if (acquire.TtlUs < CommandRules.TtlMinUs || acquire.TtlUs > CommandRules.TtlMaxUs)
            return (ErrorCode.InvalidTtl,
                $"A TTL of {acquire.TtlUs} µs is not between {CommandRules.TtlMinUs} (0.5 s) and {CommandRules.TtlMaxUs} (1 day).");
        if (acquire.Nonce.Length is not (0 or CommandRules.NonceBytes))
            return Invalid($"The nonce has {acquire.Nonce.Length} bytes; it must have {CommandRules.NonceBytes}, or none.");
        return CheckLabel("owner", acquire.Owner)
            ?? CheckLabel("trace_id", acquire.TraceId)
            ?? CheckHoldTime("lock_delay_us", acquire.LockDelayUs, LockDelayMaxUs)
            ?? CheckName(acquire.Name);
    }

    public static (ErrorCode, string)? CheckLease(string name, long leaseId) =>
        leaseId <= 0 ? Invalid("lease_id names no lease.") : CheckName(name);

    public static (ErrorCode, string)? CheckKind(HoldingKind kind) =>
        kind is >= HoldingKind.Lock and <= HoldingKind.Lease ? null : Invalid($"{(int)kind} is no kind of holding.");

    private static (ErrorCode, string)? CheckHolding(HoldingKind kind, string name, long token) =>
        token < 0 ? Invalid("The token may not be negative.") : CheckKind(kind) ?? CheckName(name);

    private static (ErrorCode, string)? CheckPart(HoldingKind kind, string name, bool shared, int permits, int limit)
    {
        if (kind is not (HoldingKind.Lock or HoldingKind.Semaphore or HoldingKind.Election))
            return Invalid($"{kind} is not acquired by a session.");
        if (shared && kind != HoldingKind.Lock)
            return Invalid($"A {kind} cannot be shared.");
        bool isCounted = kind == HoldingKind.Semaphore;
        if (isCounted ? permits < 1 || permits > limit || limit > Limits.PermitsMax : permits != 0 || limit != 0)
            return (ErrorCode.InvalidPermits, isCounted
                ? $"{permits} permits of {limit}: there must be 1 to {Limits.PermitsMax} in all, and no more wanted than there are."
                : $"A {kind} has no permits and no limit.");
        return CheckName(name);
    }

    private static (ErrorCode, string)? CheckValue(AcquireLock acquire) =>
        acquire.Value.Length > 0 && acquire.Kind != HoldingKind.Election
            ? Invalid("Only a candidate in an election has a value.")
            : CheckLabel("value", acquire.Value);

    // What enters a holding again, or changes it, is about that one alone.
    private static (ErrorCode, string)? CheckVariant(AcquireLock acquire)
    {
        if (!acquire.Reentrant && !acquire.Upgrade)
            return null;
        if (acquire.Kind != HoldingKind.Lock || acquire.Also.Count > 0)
            return Invalid("Only a single lock is entered again or upgraded.");
        return acquire.Upgrade && (acquire.Shared || acquire.Reentrant)
            ? Invalid("An upgrade is to an exclusive holding, and enters nothing again.")
            : null;
    }

    private static (ErrorCode, string)? CheckAlso(AcquireLock acquire)
    {
        if (acquire.Also.Count == 0)
            return null;
        if (acquire.Also.Count >= Limits.ResourcesPerRequestMax)
            return (ErrorCode.TooManyResources,
                $"{acquire.Also.Count + 1} resources are to be acquired together; at most {Limits.ResourcesPerRequestMax} can.");
        if (acquire.Kind == HoldingKind.Election)
            return Invalid("An election is acquired alone.");
        var named = new HashSet<(HoldingKind, string)> { (acquire.Kind, acquire.Name) };
        foreach (AlsoAcquire also in acquire.Also)
        {
            if (also.Kind == HoldingKind.Election)
                return Invalid("An election is acquired alone.");
            if (CheckPart(also.Kind, also.Name, also.Shared, also.Permits, also.Limit) is { } problem)
                return problem;
            if (!named.Add((also.Kind, also.Name)))
                return Invalid($"The {also.Kind} '{also.Name}' is named twice.");
        }
        return null;
    }

    private static (ErrorCode, string)? CheckHoldTime(string field, long spanUs, long maxUs) =>
        spanUs < 0 || spanUs > maxUs
            ? (ErrorCode.InvalidHoldTime, $"{field} of {spanUs} is not between 0 and {maxUs}.")
            : null;

    private static (ErrorCode, string)? CheckLabel(string field, string label) =>
        ResourceName.LabelProblem(label) is { } problem ? Invalid($"{field}: {problem}") : null;

    private static (ErrorCode, string)? CheckName(string name) =>
        ResourceName.Problem(name) is { } problem ? (ErrorCode.InvalidName, problem) : null;

    private static (ErrorCode, string) Invalid(string message) => (ErrorCode.InvalidRequest, message);
}
