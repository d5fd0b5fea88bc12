using Coordinator.Raft;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Running;

/// <summary>
/// What follows in a cluster that is healed and at rest: it falls asleep, is woken in one of many ways, serves again, and
/// falls asleep again. Nothing was asked of it while its clients were there to make it rest, so this is a part of its own.
/// </summary>
internal sealed class RestingRounds(World world, Prng random)
{
    private const int Rounds = 4;
    private const long TicksToRest = 400;
    private const long TicksToServe = 600;
    private const long SleepMaxUs = 40_000_000;

    /// <summary>Until a silo has noticed the end of a connection whose client is silent.</summary>
    private const long HalfOpenUs = 11_000_000;

    /// <summary>The longest that anything of a round before may still last, whatever a tick is.</summary>
    private const long FeltMaxUs = 10_000_000;

    private readonly Prober _prober = new(world, random.Fork());

    private EventQueue Events => world.Events;

    private long ElectionTimeoutUs => world.Scenario.Options.ElectionTimeoutUs;

    /// <summary>A member whose storage is lost answers nothing, and the others wait for it for ever.</summary>
    private bool MayRest => Members().All(peer => !peer.IsLost);

    public void Run()
    {
        foreach (SimulatedPeer peer in world.Peers)
            peer.Processes.ForEach(process => process.CloseConnections());
        Events.RunUntil(Events.NowUs + HalfOpenUs);
        for (int round = 0; round < Rounds; round++)
        {
            if (MayRest)
                FallAsleep();
            int kind = round == 0 ? 0 : random.Below(7);
            world.Trace.Add($"resting round {round}: {kind}");
            Play(kind);
        }
    }

    private void Play(int kind)
    {
        switch (kind)
        {
            case 0:
                WakeByRequest();
                return;
            case 1 when Leader() is { } leader:
                HoldDown(leader);
                return;
            case 2 when Leader() is { } leader && world.Invariants.Membership.ConfState.Voters.Count > 2:
                CutOff(leader);
                return;
            case 3:
                HoldDown(random.Pick(Members()));
                return;
            case 4 when Leader() is { } leader:
                leader.Newest!.Pause(random.Between(1, FeltMaxUs));
                break;
            default:
                Storm();
                break;
        }
        Serve();
    }

    private void FallAsleep()
    {
        Require(
            TicksToRest, () => Members().All(peer => peer is { Processes: [{ Machine.IsQuiesced: true }] }),
            "a group in which nothing happens goes on");
        Events.RunUntil(Events.NowUs + random.Skewed(0, SleepMaxUs));
    }

    /// <summary>Nothing is wrong with anybody: whoever led still does, in the same term.</summary>
    private void WakeByRequest()
    {
        Term term = Leader()?.Newest?.Machine?.Raft.Term ?? Term.Zero;
        Serve();
        if (MayRest && Leader()?.Newest?.Machine?.Raft.Term is { } now && now != term)
            throw new InvariantViolation("waking costs no election", $"the group slept in term {term} and woke up in {now}");
    }

    /// <summary>Its silo dies, and does not come back before the others have served.</summary>
    private void HoldDown(SimulatedPeer peer)
    {
        bool othersServe = OthersServe(peer);
        peer.IsHeldDown = true;
        peer.CrashAll();
        if (othersServe)
            Serve();
        Events.RunUntil(Events.NowUs + random.Skewed(0, SleepMaxUs));
        peer.IsHeldDown = false;
        Serve();
    }

    private void CutOff(SimulatedPeer leader)
    {
        bool othersServe = OthersServe(leader);
        foreach (SimulatedPeer other in world.Peers)
        {
            world.Network.Cut(leader.Place, other.Place, 100_000_000);
            world.Network.Cut(other.Place, leader.Place, 100_000_000);
        }
        long term = leader.Newest!.Machine!.Raft.Term.Value;
        if (othersServe)
        {
            Require(
                TicksToServe, () => Leader() is { } now && now.Newest!.Machine!.Raft.Term.Value > term,
                "a group whose leader was cut off has none");
            Serve();
        }
        world.Network.Mend();
        Serve();
    }

    /// <summary>The seed's bad network, and something that goes down or stands still, at any moment of going to rest.</summary>
    private void Storm()
    {
        world.Network.Faults = world.Scenario.Network with { LossChance = random.Fraction() * 0.2, DuplicationChance = random.Fraction() * 0.2 };
        _prober.Ask();
        Events.RunUntil(Events.NowUs + random.Below(20 * ElectionTimeoutUs));
        SimulatedPeer struck = random.Chance(0.5) && Leader() is { } leader ? leader : random.Pick(Members());
        switch (random.Below(4))
        {
            case 0:
                struck.CrashAll();
                break;
            case 1:
                struck.Newest?.CrashBetweenEffects();
                break;
            case 2:
                struck.Newest?.Pause(random.Skewed(1, FeltMaxUs));
                break;
            default:
                SimulatedPeer other = random.Pick(Members());
                world.Network.Cut(struck.Place, other.Place, random.Skewed(1, FeltMaxUs));
                break;
        }
        Events.RunUntil(Events.NowUs + random.Below(20 * ElectionTimeoutUs));
        _prober.GiveUp();
        world.Network.Mend();
        world.Network.Faults = new NetworkFaults();
    }

    /// <summary>A request is served, and what it has made ends when it is due.</summary>
    private void Serve()
    {
        _prober.Ask();
        Require(TicksToServe, () => _prober.IsServed, "nobody serves a group that has rested");
        Require(
            TicksToServe, () => Leader()?.Newest?.Machine?.State is { SessionCount: 0 }, "a session does not end in a group that would rest");
    }

    private void Require(long ticks, Func<bool> condition, string message)
    {
        if (!Events.RunUntil(Events.NowUs + (ticks * world.Scenario.Options.TickUs) + FeltMaxUs, condition))
            throw new InvariantViolation("liveness", $"{message}: {SimulationRun.Describe(world)}");
    }

    private bool OthersServe(SimulatedPeer without)
    {
        IReadOnlyList<PeerId> voters = world.Invariants.Membership.ConfState.Voters;
        return voters.Count(id => id != without.Id && world.PeerOf(id) is { IsLost: false, Newest: not null }) * 2 > voters.Count;
    }

    private SimulatedPeer? Leader() => Members().Where(peer => peer.Newest is { IsLeader: true })
        .MaxBy(peer => peer.Newest!.Machine!.Raft.Term);

    private List<SimulatedPeer> Members() =>
        [.. world.Invariants.Membership.Peers.Select(member => world.PeerOf(member.Id)!)];
}
