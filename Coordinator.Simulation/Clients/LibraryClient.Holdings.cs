using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// The other kinds of holdings, on the names of the plain clients'. What the log makes of them is judged, not what the
/// program believes: readers share what the judges of beliefs know only as exclusive.
/// </summary>
internal sealed partial class LibraryClient
{
    private string Numbered(string prefix) => $"{prefix}/{random.Below(1 + (world.Scenario.Names / 2))}";

    private void AcquireOther()
    {
        if (random.Chance(0.15))
        {
            AcquireLease();
            return;
        }
        var acquire = new AcquireOperation(MakeRequest(), random.Below(4) switch
        {
            0 => TimeSpan.Zero,
            1 => Timeout.InfiniteTimeSpan,
            _ => TimeSpan.FromMicroseconds(random.Skewed(10_000, 6_000_000)),
        });
        ClientMachine machine = _machine!;
        Submit(acquire, completion =>
        {
            if (completion is Completion.Acquired { Holding: var holding })
                UseOther(machine, holding);
        });
        if (!acquire.IsBounded || random.Chance(0.1))
            world.Events.After(random.Between(50, 5_000) * 1_000, () => WhenAwake(() => OfLink(machine, m => m.Cancel(acquire, Now))));
    }

    private AcquireRequest MakeRequest()
    {
        TimeSpan maxHold = TimeSpan.FromMilliseconds(random.Chance(0.2) ? random.Between(100, 3_000) : 0);
        int dice = random.Below(10);
        return dice switch
        {
            < 2 => new AcquireRequest
            {
                Kind = HoldingKind.Semaphore,
                Names = [Numbered("sem")],
                Permits = (int)random.Between(1, 3),
                Limit = 3,
                MaxHold = maxHold,
            },
            < 4 => new AcquireRequest { Kind = HoldingKind.Election, Names = [Numbered("el")], Value = $"host-{Number}" },
            4 => new AcquireRequest { Names = ["rw/0", "rw/1"], MaxHold = maxHold },
            _ => new AcquireRequest { Names = [Numbered("rw")], IsShared = dice < 9, MaxHold = maxHold },
        };
    }

    private void UseOther(ClientMachine machine, Holding holding)
    {
        if (holding is { IsShared: true } && random.Chance(0.3))
        {
            TimeSpan wait = TimeSpan.FromMicroseconds(random.Skewed(10_000, 2_000_000));
            Submit(new AcquireOperation(holding, wait), _ => ReleaseLater(machine, holding));
            return;
        }
        if (MakeChange(holding) is { } change)
            Submit(new HoldingOperation(holding, change), _ => { });
        ReleaseLater(machine, holding);
    }

    private Command? MakeChange(Holding holding)
    {
        if (random.Chance(0.6))
            return null;
        if (holding.Request.Kind == HoldingKind.Election)
            return new Command { Proclaim = new Proclaim { Name = holding.Name, Value = $"v{random.Below(100)}" } };
        bool isWritten = holding is { IsShared: false, Request: { Kind: HoldingKind.Lock, Names.Count: 1 } };
        return isWritten ? new Command { DowngradeLock = new DowngradeLock { Name = holding.Name } } : null;
    }

    private void ReleaseLater(ClientMachine machine, Holding holding) =>
        world.Events.After(random.Chance(0.2) ? random.Between(1, 20) * 1_000_000 : random.Skewed(1_000, 4_000_000), () => WhenAwake(() =>
        {
            if (machine == _machine && !_isResting && !_isDraining)
                Submit(new ReleaseOperation(holding), _ => { });
        }));

    private void AcquireLease()
    {
        var acquire = new AcquireLease
        {
            Name = Numbered("lease"),
            Owner = $"c{Number}",
            TtlUs = random.Between(600, 6_000) * 1_000,
            Nonce = ByteString.CopyFrom(random.Bytes(16)),
        };
        ClientMachine machine = _machine!;
        Submit(new AcquireLeaseOperation(acquire, isRenewed: random.Chance(0.7)), completion =>
        {
            if (completion is not Completion.Leased { Lease: var lease })
                return;
            world.Events.After(random.Skewed(1_000, 8_000_000), () => WhenAwake(() =>
            {
                if (machine == _machine && !_isDraining)
                    Submit(new ReleaseLeaseOperation(lease.Name, lease.Id, lease), _ => { });
            }));
        });
    }
}
