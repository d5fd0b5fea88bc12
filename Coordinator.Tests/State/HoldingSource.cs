using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.State;

/// <summary>Random commands about holdings of all kinds, on few enough names to collide.</summary>
internal sealed class HoldingSource(Random random)
{
    private static readonly string[] Names = ["a", "b", "b/c"];

    // What most of a log is about: spread over all kinds, few commands would meet.
    private readonly HoldingKind _mostly = (HoldingKind)random.Next(3);
    private long _lease;

    public void LeaseGranted(long leaseId) => _lease = leaseId;

    public void Fill(Command command, long otherSession)
    {
        switch (random.Next(100))
        {
            case < 56:
                command.AcquireLock = Acquire();
                break;
            case < 80:
                command.ReleaseLock = new ReleaseLock { Kind = AnyKind(), Name = Name(), Token = SomeToken() };
                if (command.ReleaseLock.Kind == HoldingKind.Semaphore && random.Next(3) == 0)
                    command.ReleaseLock.Permits = random.Next(1, 3);
                break;
            case < 85:
                command.DowngradeLock = new DowngradeLock { Name = Name(), Token = SomeToken() };
                break;
            case < 91:
                command.Proclaim = new Proclaim { Name = Name(), Token = SomeToken(), Value = $"v{random.Next(9)}" };
                break;
            case < 96:
                command.HandOver = new HandOver { Name = Name(), Token = SomeToken(), ToSessionId = otherSession };
                break;
            case < 98:
                command.ForceRelease = new ForceRelease { Kind = AnyKind(), Name = Name(), Token = SomeToken(), Reason = "stuck" };
                break;
            default:
                command.RequestRelease = new RequestRelease { Kind = AnyKind(), Name = Name(), Token = SomeToken(), Reason = "please" };
                break;
        }
    }

    public Command OutsideSession() => random.Next(12) switch
    {
        < 5 => new Command { AcquireLease = Lease() },
        < 8 => new Command { RenewLease = new RenewLease { Name = Name(), LeaseId = SomeLease() } },
        < 10 => new Command { ReleaseLease = new ReleaseLease { Name = Name(), LeaseId = SomeLease() } },
        10 => new Command { ForceRelease = new ForceRelease { Kind = HoldingKind.Lease, Name = Name() } },
        _ => new Command { RequestRelease = new RequestRelease { Kind = AnyKind(), Name = Name() } },
    };

    private AcquireLock Acquire()
    {
        if (random.Next(12) == 0)
            return new AcquireLock { Name = Names[0], Upgrade = true, WaitUs = CommandRules.UnboundedWait };
        var acquire = new AcquireLock
        {
            Kind = AnyKind(),
            Name = Name(),
            WaitUs = random.Next(4) switch { 0 => 0, 1 => random.Next(1, 800_000), _ => -1 },
            MaxHoldUs = random.Next(5) == 0 ? random.Next(1, 900_000) : 0,
            LockDelayUs = random.Next(4) == 0 ? random.Next(1, 900_000) : 0,
            Concurrent = random.Next(4) == 0,
        };
        if (acquire.Kind == HoldingKind.Semaphore)
            (acquire.Permits, acquire.Limit) = (random.Next(1, 4), Limit());
        acquire.Shared = acquire.Kind == HoldingKind.Lock && random.Next(5) < 3;
        if (acquire.Kind == HoldingKind.Election)
            acquire.Value = $"v{random.Next(9)}";
        else if (random.Next(5) == 0)
            AddMore(acquire);
        else if (acquire.Kind == HoldingKind.Lock)
            Vary(acquire);
        return acquire;
    }

    private void Vary(AcquireLock acquire)
    {
        acquire.Reentrant = random.Next(3) == 0;
        acquire.Upgrade = !acquire.Reentrant && !acquire.Shared && random.Next(4) > 0;
    }

    private void AddMore(AcquireLock acquire)
    {
        int more = random.Next(1, 3);
        for (int i = 0; i < more; i++)
        {
            var also = new AlsoAcquire { Kind = random.Next(3) == 0 ? HoldingKind.Semaphore : HoldingKind.Lock, Name = Name() };
            if (also.Kind == HoldingKind.Semaphore)
                (also.Permits, also.Limit) = (random.Next(1, 3), Limit());
            else
                also.Shared = random.Next(2) == 0;
            acquire.Also.Add(also);
        }
    }

    private AcquireLease Lease()
    {
        var lease = new AcquireLease
        {
            Name = Name(),
            Owner = $"job-{random.Next(2)}",
            TtlUs = random.Next(500_000, 2_000_000),
            LockDelayUs = random.Next(3) == 0 ? random.Next(1, 500_000) : 0,
        };
        if (random.Next(2) == 0)
            lease.Nonce = ByteString.CopyFrom([.. Enumerable.Repeat((byte)random.Next(3), 16)]);
        return lease;
    }

    private long SomeLease() => _lease == 0 || random.Next(4) == 0 ? random.Next(1, 500) : _lease;

    private int Limit() => random.Next(12) == 0 ? 3 : 4;

    private HoldingKind AnyKind() => random.Next(2) == 0 ? _mostly : (HoldingKind)random.Next(3);

    private long SomeToken() => random.Next(4) == 0 ? random.Next(1, 400) : 0;

    private string Name() => random.Next(60) == 0 ? "a//b" : random.Next(5) < 3 ? Names[0] : Names[random.Next(Names.Length)];
}
