using Coordinator.Contracts;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// Watches keys from any peer, one page after the other, and goes on at another when it is refused or hears nothing; now
/// and then it begins anew.
/// Invariant: otherwise what it asks for next begins where the last page that it heard has ended.
/// </summary>
internal sealed class SimulatedWatcher(World world, SimulatedClient client, Prng random)
{
    private readonly WatchConfig _asked = Draw(random, world.Scenario.Names);
    private long _seenIndex;
    private int _peer;
    private int _asks;
    private bool _isDraining;

    public void Start()
    {
        GoElsewhere();
        world.Events.After(random.Between(1_000, 3_000_000), Ask);
    }

    public void Drain() => _isDraining = true;

    private static WatchConfig Draw(Prng random, int names)
    {
        WatchConfig config = random.Below(4) switch
        {
            0 => new WatchConfig { IsPrefix = true },
            1 => new WatchConfig { Key = "key/", IsPrefix = true },
            2 => new WatchConfig { Key = "lock/", IsPrefix = true },
            _ => new WatchConfig { Key = $"key/{random.Below(names)}" },
        };
        config.WithPrevious = random.Chance(0.5);
        return config;
    }

    private void Ask()
    {
        if (_isDraining)
            return;
        int ask = ++_asks;
        var watch = new Watch { Config = _asked.Clone(), SeenIndex = _seenIndex };
        long floor = world.Invariants.KnownRevision;
        SimulatedPeer peer = world.Peers[_peer];
        world.Network.Send(world.PlaceOfClient(client.Number), peer.Place, () =>
        {
            if (peer.Reached(forRead: true) is { } process)
                Submit(process, watch, ask, floor);
        });
        // Longer than a replica takes to say how far it has looked: who says nothing is not there.
        world.Events.After(random.Between(2_000, 8_000) * 1_000, () =>
        {
            if (ask != _asks)
                return;
            GoElsewhere();
            Ask();
        });
    }

    private void Submit(PeerProcess process, Watch watch, int ask, long floor)
    {
        var ticket = new ClientWatchTicket(watch, (from, page) => world.Network.Send(
            from.Owner.Place, world.PlaceOfClient(client.Number), () => Told(watch, ask, floor, page)));
        process.Submit(ticket);
        world.Events.After(random.Between(500, 9_000) * 1_000, () =>
        {
            // The connection of whoever asked is gone.
            if (ask != _asks)
                process.Forget(ticket);
        });
    }

    private void Told(Watch watch, int ask, long floor, WatchPage page)
    {
        if (ask != _asks || _isDraining)
            return;
        if (page.Error is ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.Stopping or ErrorCode.Quarantined)
        {
            GoElsewhere();
        }
        else
        {
            world.Invariants.WatchAnswered(client, watch, floor, page);
            // What is compacted is read anew, or at least the rest is watched.
            _asked.FromRevision = page.Error != ErrorCode.Compacted ? page.NextRevision
                : random.Chance(0.5) ? 0 : page.CompactedRevision + 1;
            _seenIndex = Math.Max(_seenIndex, page.Position.Index);
            if (random.Chance(0.1))
                GoElsewhere();
            if (random.Chance(0.1))
                Forget();
        }
        _asks++;
        world.Events.After(random.Skewed(1_000, 500_000), Ask);
    }

    /// <summary>As a new program, which begins with what is now.</summary>
    private void Forget() => (_asked.FromRevision, _seenIndex) = (0, 0);

    private void GoElsewhere() => _peer = random.Below(world.Peers.Count);
}
