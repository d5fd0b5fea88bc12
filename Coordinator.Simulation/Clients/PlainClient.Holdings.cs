using Coordinator.Contracts;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Invariants;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// Holdings of all kinds, on names of their own: shared, several, upgraded, entered again, with a maximum or a delay,
/// forced; semaphores, elections, leases. What the log makes of them is judged, not what the client believes.
/// </summary>
internal sealed partial class PlainClient
{
    private readonly List<OtherHolding> _others = [];

    private string Numbered(string prefix) => $"{prefix}/{random.Below(1 + (world.Scenario.Names / 2))}";

    private void ActOnHoldings(ClientSession session)
    {
        _others.RemoveAll(held => held.Session.IsOver);
        int dice = random.Below(100);
        if (dice < 45)
            AcquireOther(session, MakeAcquire());
        else if (dice < 65 && AnyOther(held => held.Kind == HoldingKind.Lock) is { } held)
            VaryLock(session, held);
        else if (dice < 75 && AnyOther(held => held.Kind == HoldingKind.Election) is { } election)
            Lead(session, election);
        else if (dice < 85)
            AcquireLease();
        else if (dice < 92)
            Intervene(session);
        else
            Read(new Query { GetLock = AnyHolding() });
    }

    private OtherHolding? AnyOther(Func<OtherHolding, bool> fits)
    {
        List<OtherHolding> found = [.. _others.Where(fits)];
        return found.Count == 0 ? null : found[random.Below(found.Count)];
    }

    private GetLock AnyHolding() => random.Below(4) switch
    {
        0 => new GetLock { Name = Numbered("rw") },
        1 => new GetLock { Kind = HoldingKind.Semaphore, Name = Numbered("sem") },
        2 => new GetLock { Kind = HoldingKind.Election, Name = Numbered("el") },
        _ => new GetLock { Kind = HoldingKind.Lease, Name = Numbered("lease") },
    };

    private AcquireLock MakeAcquire()
    {
        var acquire = new AcquireLock
        {
            Label = $"c{Number}",
            WaitUs = random.Below(4) switch { 0 => 0, 1 => -1, _ => random.Skewed(10_000, 6_000_000) },
            MaxHoldUs = random.Chance(0.2) ? random.Between(100, 3_000) * 1_000 : 0,
            LockDelayUs = random.Chance(0.3) ? random.Between(100, 3_000) * 1_000 : 0,
            Concurrent = random.Chance(0.3),
        };
        int dice = random.Below(10);
        if (dice < 3)
        {
            (acquire.Kind, acquire.Name) = (HoldingKind.Semaphore, Numbered("sem"));
            (acquire.Permits, acquire.Limit) = ((int)random.Between(1, 3), 3);
        }
        else if (dice < 5)
        {
            (acquire.Kind, acquire.Name, acquire.Value) = (HoldingKind.Election, Numbered("el"), $"host-{Number}");
        }
        else
        {
            (acquire.Name, acquire.Shared) = (Numbered("rw"), random.Chance(0.6));
            if (random.Chance(0.3))
            {
                acquire.Also.Add(new AlsoAcquire
                {
                    Kind = HoldingKind.Semaphore,
                    Name = Numbered("sem"),
                    Permits = (int)random.Between(1, 3),
                    Limit = 3,
                });
            }
        }
        return acquire;
    }

    private void AcquireOther(ClientSession session, AcquireLock acquire) =>
        AskToAcquire(session, acquire, answer => AcquiredOther(session, acquire, answer));

    private void AcquiredOther(ClientSession session, AcquireLock acquire, CommandAnswer? answer)
    {
        if (answer is not { Result: { Outcome: Outcome.Granted } result } || !session.IsAlive(Clock))
            return;
        if (acquire.Upgrade)
            _others.RemoveAll(held => held.Session == session && held.Kind == HoldingKind.Lock && held.Name == acquire.Name);
        Keep(new OtherHolding(session, acquire.Kind, acquire.Name, result.Token, acquire.Permits));
        foreach (AlsoAcquire also in acquire.Also)
            Keep(new OtherHolding(session, also.Kind, also.Name, result.Token, also.Permits));
    }

    private void Keep(OtherHolding held)
    {
        _others.Add(held);
        world.Events.After(random.Skewed(1_000, 4_000_000), () => ReleaseOther(held));
    }

    private void ReleaseOther(OtherHolding held)
    {
        if (!_others.Remove(held) || held.Session.IsOver)
            return;
        AskInSession(
            held.Session,
            new Command
            {
                ReleaseLock = new ReleaseLock { Kind = held.Kind, Name = held.Name, Token = held.Token, Permits = held.Permits },
            },
            Count(Happening.LockReleased));
    }

    private void VaryLock(ClientSession session, OtherHolding held)
    {
        int dice = random.Below(3);
        if (dice == 0)
            AcquireOther(session, new AcquireLock { Name = held.Name, Upgrade = true, WaitUs = random.Skewed(10_000, 2_000_000) });
        else if (dice == 1)
            AcquireOther(session, new AcquireLock { Name = held.Name, Shared = true, Reentrant = true });
        else
            AskInSession(session, new Command { DowngradeLock = new DowngradeLock { Name = held.Name } }, Count(Happening.Downgraded));
    }

    private void Lead(ClientSession session, OtherHolding election)
    {
        Command command = random.Chance(0.5)
            ? new Command { Proclaim = new Proclaim { Name = election.Name, Token = election.Token, Value = $"v{random.Below(100)}" } }
            : new Command { HandOver = new HandOver { Name = election.Name, ToSessionId = AnyCandidate(election.Name) } };
        AskInSession(session, command, Count(command.Proclaim is null ? Happening.HandedOver : Happening.Proclaimed));
    }

    /// <summary>A client knows the others by what it has read of the line.</summary>
    private long AnyCandidate(string election)
    {
        List<Claimed> line = Invariants.Ledger.View(HoldingKind.Election, election).Waiting;
        return line.Count == 0 ? 1 : line[random.Below(line.Count)].SessionId;
    }

    private void Intervene(ClientSession session)
    {
        GetLock target = AnyHolding();
        Command command = random.Chance(0.5)
            ? new Command { ForceRelease = new ForceRelease { Kind = target.Kind, Name = target.Name, Reason = $"c{Number}" } }
            : new Command { RequestRelease = new RequestRelease { Kind = target.Kind, Name = target.Name, Reason = $"c{Number}" } };
        AskInSession(session, command, Count(command.ForceRelease is null ? Happening.ReleaseRequested : Happening.ReleaseForced));
    }

    private void AcquireLease()
    {
        var acquire = new AcquireLease
        {
            Name = Numbered("lease"),
            Owner = $"c{Number}",
            TtlUs = random.Between(600, 6_000) * 1_000,
            Nonce = ByteString.CopyFrom(random.Bytes(16)),
            LockDelayUs = random.Chance(0.3) ? random.Between(100, 2_000) * 1_000 : 0,
        };
        AskAboutLease(new Command { AcquireLease = acquire }, answer =>
        {
            if (answer is { Result.Outcome: Outcome.Granted })
                KeepLease(acquire, answer.Result.Token, renewals: random.Below(4));
        });
    }

    // The nonce, and the id, make a repeat safe.
    private void AskAboutLease(Command command, Action<CommandAnswer?> done) =>
        Ask(new ClientRequest(command) { FirstSent = Now, Commanded = done });

    private void KeepLease(AcquireLease acquire, long leaseId, int renewals) => world.Events.After(
        random.Between(acquire.TtlUs / 5, acquire.TtlUs),
        () =>
        {
            if (renewals > 0 && !_isDraining)
                RenewLease(acquire, leaseId, renewals);
            else if (random.Chance(0.5) && !_isDraining)
                AskAboutLease(new Command { ReleaseLease = new ReleaseLease { Name = acquire.Name, LeaseId = leaseId } }, _ => { });
        });

    private void RenewLease(AcquireLease acquire, long leaseId, int renewals) => AskAboutLease(
        new Command { RenewLease = new RenewLease { Name = acquire.Name, LeaseId = leaseId } },
        answer =>
        {
            Count(Happening.LeaseRenewed)(answer);
            if (answer is { Result.Error: ErrorCode.Ok })
                KeepLease(acquire, leaseId, renewals - 1);
        });

    private sealed record OtherHolding(ClientSession Session, HoldingKind Kind, string Name, long Token, int Permits);
}
