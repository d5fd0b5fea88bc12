using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>Holdings once more: claims in one list, each with what it wants of each resource.</summary>
internal sealed partial class NaiveModel
{
    private static readonly Answer NotAcquired = new(ErrorCode.LockNotAcquired, Outcome.NotAcquired);

    private readonly List<ModelClaim> _claims = [];
    private readonly Dictionary<(HoldingKind Kind, string Name), long> _delays = [];
    private readonly SortedSet<string> _electionsChanged = new(StringComparer.Ordinal);

    public List<HoldingEnded> HoldingsEnded { get; } = [];

    public List<ReleaseRequested> ReleasesRequested { get; } = [];

    public List<ElectionChanged> ElectionsChanged { get; } = [];

    public List<(long Token, string Reason)> Forced { get; } = [];

    private void ClearHoldingEffects()
    {
        HoldingsEnded.Clear();
        ReleasesRequested.Clear();
        ElectionsChanged.Clear();
    }

    private Answer HoldingInSession(ModelSession session, Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.AcquireLock => Acquire(session, command.AcquireLock, command.RequestId),
        Command.OperationOneofCase.ReleaseLock => Release(session, command.ReleaseLock),
        Command.OperationOneofCase.CancelWait => Cancel(session, command.CancelWait),
        Command.OperationOneofCase.DowngradeLock => Downgrade(session, command.DowngradeLock),
        Command.OperationOneofCase.Proclaim => Proclaim(session, command.Proclaim),
        Command.OperationOneofCase.HandOver => HandOver(session, command.HandOver),
        _ => HoldingOutsideSession(command)!.Value,
    };

    private Answer? HoldingOutsideSession(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.AcquireLease => AcquireLease(command.AcquireLease),
        Command.OperationOneofCase.RenewLease => RenewLease(command.RenewLease),
        Command.OperationOneofCase.ReleaseLease => ReleaseLease(command.ReleaseLease),
        Command.OperationOneofCase.ForceRelease => ForceRelease(command.ForceRelease),
        Command.OperationOneofCase.RequestRelease => RequestRelease(command.RequestRelease),
        _ => null,
    };

    private static string WhatOfHolding(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.AcquireLock =>
            $"acquire {string.Join(',', PartsOf(command.AcquireLock).Select(p => (p.Kind, p.Name)))}",
        Command.OperationOneofCase.ReleaseLock => $"release {command.ReleaseLock.Kind} {command.ReleaseLock.Name}",
        Command.OperationOneofCase.DowngradeLock => $"downgrade {command.DowngradeLock.Name}",
        Command.OperationOneofCase.ForceRelease => $"force {command.ForceRelease.Kind} {command.ForceRelease.Name}",
        Command.OperationOneofCase.RequestRelease => $"ask {command.RequestRelease.Kind} {command.RequestRelease.Name}",
        Command.OperationOneofCase.Proclaim => $"proclaim {command.Proclaim.Name}",
        Command.OperationOneofCase.HandOver => $"hand over {command.HandOver.Name}",
        _ => $"{command.OperationCase}",
    };

    private Answer Acquire(ModelSession session, AcquireLock acquire, long request)
    {
        var claim = new ModelClaim(_index, session, acquire, request)
        {
            Due = acquire.WaitUs > 0 ? _logTime + acquire.WaitUs : long.MaxValue,
        };
        claim.Parts.AddRange(PartsOf(acquire));
        if (acquire.Upgrade)
        {
            ModelClaim? held = HeldBy(session, acquire.Kind, acquire.Name).FirstOrDefault();
            if (held is null)
                return Answer.Refused(ErrorCode.LockNotHeld);
            if (!held.On(acquire.Kind, acquire.Name)!.Shared)
                return AlreadyHeld(held, acquire.Kind, acquire.Name);
            if (_claims.Any(c => c.Waits && c.Asked!.Upgrade && c.Wants(acquire.Kind, acquire.Name)))
                return Answer.Refused(ErrorCode.UpgradeInProgress);
        }
        foreach (ModelPart part in claim.Parts)
        {
            if (!acquire.Upgrade && part.Kind != HoldingKind.Semaphore)
            {
                if (HeldBy(session, part.Kind, part.Name).FirstOrDefault() is { } held)
                    return Reenter(held, part, acquire, request);
                if (_claims.Any(c => c.Waits && c.Session == session && c.Wants(part.Kind, part.Name)))
                    return Answer.Refused(ErrorCode.LockAlreadyHeld);
            }
            if (_claims.Any(c => c.On(part.Kind, part.Name) is { } there && there.Limit != part.Limit))
                return Answer.Refused(ErrorCode.LimitMismatch);
        }
        if (_claims.Where(c => c.Session == session).Sum(c => c.Parts.Count) + claim.Parts.Count > settings.HoldingsPerSession)
            return Answer.Refused(ErrorCode.TooManyHoldings);
        if (claim.Parts.All(p => HasRoom(claim, p) && (acquire.Upgrade || LineOf(p.Kind, p.Name).Length == 0)))
        {
            _claims.Add(claim);
            return Grant(claim);
        }
        if (acquire.WaitUs == 0)
            return NotAcquired;
        if (claim.Parts.Any(p => LineOf(p.Kind, p.Name).Length == settings.WaitersPerResource))
            return Answer.Refused(ErrorCode.TooManyWaiters);
        _claims.Add(claim);
        if (!IsDeadlock(claim))
            return new Answer(ErrorCode.Ok, Outcome.Queued);
        _claims.Remove(claim);
        return Answer.Refused(ErrorCode.DeadlockDetected);
    }

    private Answer Reenter(ModelClaim held, ModelPart wanted, AcquireLock acquire, long request)
    {
        ModelPart part = held.On(wanted.Kind, wanted.Name)!;
        if (!acquire.Reentrant || (part.Shared && !wanted.Shared))
            return AlreadyHeld(held, wanted.Kind, wanted.Name);
        if (part.Entered.Count + 1 == settings.ReentriesPerHolding)
            return Answer.Refused(ErrorCode.TooManyReentries);
        part.Entered.Add(request);
        return Entered(held, part);
    }

    private Answer Release(ModelSession session, ReleaseLock release)
    {
        ModelClaim[] fitting = [.. HeldBy(session, release.Kind, release.Name)
            .Where(c => release.Token == 0 || release.Token == c.Token || (release.Kind == HoldingKind.Lock && release.Token == c.TokenBefore))
            .Where(c => release.Permits == 0 || release.Permits == c.On(release.Kind, release.Name)!.Permits)];
        if (fitting.Length == 0)
            return Answer.Refused(ErrorCode.LockNotHeld);
        if (fitting.Select(c => c.On(release.Kind, release.Name)!.Permits).Distinct().Count() > 1)
            return Answer.Refused(ErrorCode.HoldingAmbiguous);
        ModelPart part = fitting[0].On(release.Kind, release.Name)!;
        var released = new Answer(ErrorCode.Ok, Outcome.Released, fitting[0].Token);
        if (part.Entered.Count > 0)
        {
            part.Entered.RemoveAt(part.Entered.Count - 1);
            return released with { Holds = 1 + part.Entered.Count };
        }
        EndPart(fitting[0], part);
        return released;
    }

    private Answer Downgrade(ModelSession session, DowngradeLock downgrade)
    {
        ModelClaim? held = HeldBy(session, HoldingKind.Lock, downgrade.Name)
            .FirstOrDefault(c => downgrade.Token == 0 || downgrade.Token == c.Token || downgrade.Token == c.TokenBefore);
        if (held is null)
            return Answer.Refused(ErrorCode.LockNotHeld);
        held.On(HoldingKind.Lock, downgrade.Name)!.Shared = true;
        return new Answer(ErrorCode.Ok, Outcome.Done, held.Token);
    }

    private Answer Cancel(ModelSession session, CancelWait cancel)
    {
        bool byRequest = cancel.TargetCase == CancelWait.TargetOneofCase.RequestId;
        ModelClaim? claim = _claims.Find(
            c => c.Session == session && (byRequest ? c.Request == cancel.RequestId : c.Entry == cancel.EntryIndex));
        var cancelled = new Answer(ErrorCode.Ok, Outcome.Cancelled);
        if (claim is null)
            return byRequest ? CancelEntered(session, cancel) : Answer.Refused(ErrorCode.NotWaiting);
        if (claim.Waits)
        {
            EndWait(claim, cancelled);
            return cancelled;
        }
        if (!cancel.ReleaseIfGranted)
            return Granted(claim);
        if (claim.Asked!.Upgrade)
            claim.Parts[0].Shared = true;
        else
            EndAll(claim);
        Complete(claim, cancelled with { Token = claim.Token });
        return cancelled with { Token = claim.Token };
    }

    private Answer CancelEntered(ModelSession session, CancelWait cancel)
    {
        foreach (ModelClaim claim in _claims.Where(c => c.Session == session && !c.Waits))
        {
            if (claim.Parts.Find(p => p.Entered.Contains(cancel.RequestId)) is not { } part)
                continue;
            if (!cancel.ReleaseIfGranted)
                return Entered(claim, part);
            part.Entered.Remove(cancel.RequestId);
            var cancelled = new Answer(ErrorCode.Ok, Outcome.Cancelled, claim.Token, Holds: 1 + part.Entered.Count);
            if (session.Requests.TryGetValue(cancel.RequestId, out ModelRequest? known))
                session.Requests[cancel.RequestId] = known with { Answer = cancelled };
            return cancelled;
        }
        return CancelNothing(session, cancel.RequestId);
    }

    private Answer ForceRelease(ForceRelease force)
    {
        (ModelClaim Claim, ModelPart Part)[] held = [.. Holders(force.Kind, force.Name, force.Token)];
        foreach ((ModelClaim claim, ModelPart part) in held)
        {
            Forced.Add((claim.Token, force.Reason));
            HoldingsEnded.Add(new HoldingEnded(
                force.Kind, force.Name, claim.Entry, claim.Session?.Id ?? 0, claim.Request, claim.Token, HoldingEndReason.Forced));
            EndPart(claim, part);
        }
        return held.Length == 0 ? Answer.Refused(ErrorCode.LockNotFound) : new Answer(ErrorCode.Ok, Outcome.Done);
    }

    private Answer RequestRelease(RequestRelease request)
    {
        (ModelClaim Claim, ModelPart Part)[] held = [.. Holders(request.Kind, request.Name, request.Token)];
        foreach ((ModelClaim claim, ModelPart _) in held)
        {
            ReleasesRequested.Add(new ReleaseRequested(
                request.Kind, request.Name, claim.Session?.Id ?? 0, claim.Token, request.Reason));
        }
        return held.Length == 0 ? Answer.Refused(ErrorCode.LockNotFound) : new Answer(ErrorCode.Ok, Outcome.Done);
    }

    private Answer Proclaim(ModelSession session, Proclaim proclaim)
    {
        if (Leading(session, proclaim.Name, proclaim.Token) is not { } leader)
            return Answer.Refused(ErrorCode.LockNotHeld);
        leader.Value = proclaim.Value;
        _electionsChanged.Add(proclaim.Name);
        return new Answer(ErrorCode.Ok, Outcome.Done, leader.Token);
    }

    private Answer HandOver(ModelSession session, HandOver handOver)
    {
        if (Leading(session, handOver.Name, handOver.Token) is not { } leader)
            return Answer.Refused(ErrorCode.LockNotHeld);
        if (Array.Find(LineOf(HoldingKind.Election, handOver.Name), c => c.Session!.Id == handOver.ToSessionId) is not { } heir)
            return Answer.Refused(ErrorCode.CandidateNotFound);
        heir.IsHeir = true;
        EndAll(leader);
        return new Answer(ErrorCode.Ok, Outcome.Released, leader.Token);
    }

    private Answer AcquireLease(AcquireLease acquire)
    {
        if (!acquire.Nonce.IsEmpty && _claims.Find(c => c.Lease?.Nonce.Equals(acquire.Nonce) == true) is { } live)
        {
            if (live.Lease!.Name != acquire.Name || live.Lease.Owner != acquire.Owner)
                return Answer.Refused(ErrorCode.RequestMismatch);
            live.Due = _logTime + live.Lease.TtlUs;
            return Granted(live);
        }
        var claim = new ModelClaim(_index, acquire);
        claim.Parts.Add(new ModelPart(HoldingKind.Lease, acquire.Name));
        if (!HasRoom(claim, claim.Parts[0]))
            return NotAcquired;
        if (_claims.Count(c => c.Lease is not null) == settings.LeasesMax)
            return Answer.Refused(ErrorCode.TooManyLeases);
        _claims.Add(claim);
        return Grant(claim);
    }

    private Answer RenewLease(RenewLease renew)
    {
        if (FindLease(renew.Name, renew.LeaseId) is not { } lease)
            return Answer.Refused(ErrorCode.LeaseNotFound);
        lease.Due = _logTime + lease.Lease!.TtlUs;
        return new Answer(ErrorCode.Ok, Outcome.Done, lease.Token, Floors: $"{lease.Token}");
    }

    private Answer ReleaseLease(ReleaseLease release)
    {
        if (FindLease(release.Name, release.LeaseId) is not { } lease)
            return Answer.Refused(ErrorCode.LeaseNotFound);
        EndAll(lease);
        return new Answer(ErrorCode.Ok, Outcome.Released, lease.Token);
    }
}
