using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Faults;

namespace Coordinator.Simulation.Running;

/// <summary>
/// One seed from its first to its last moment: a time of faults, in which only safety counts; then all is healed, and
/// the cluster must serve again, come to rest, and agree.
/// </summary>
internal static class SimulationRun
{
    /// <summary>In ticks of the replicas: what a healed cluster may need at the most until it serves, until all
    /// are told of what has happened, and until it rests.</summary>
    private const long TicksToServe = 600;
    private const long TicksToTell = 600;
    private const long TicksToRest = 4_000;

    /// <exception cref="InvariantViolation">The run shows a bug.</exception>
    public static RunResult Run(
        ulong seed, PlantedBug bug, TextWriter? traceOutput = null, bool hashesTrace = false, Reduction? reduction = null)
    {
        SeededRaftBugs.Planted = bug.Raft;
        SeededBugs.Planted = bug.Replica;
        var events = new EventQueue();
        var trace = new Trace(events, traceOutput, hashesTrace);
        try
        {
            World world = Run(seed, bug, reduction ?? Reduction.None, events, trace);
            return new RunResult(world.Happenings, events.NowUs, world.Scenario.Peers, events.Executed, trace.Hash, trace.Lines);
        }
        catch (InvariantViolation violation)
        {
            violation.AtUs = events.NowUs;
            throw;
        }
        catch (Exception broken)
        {
            throw new InvariantViolation("nothing breaks", broken.Message, broken) { AtUs = events.NowUs };
        }
        finally
        {
            SeededRaftBugs.Planted = SeededRaftBug.None;
            SeededBugs.Planted = SeededBug.None;
        }
    }

    /// <summary>What the seed has in store, with nothing left out.</summary>
    public static (Scenario Scenario, IReadOnlyList<PlannedFault> Faults) Plan(ulong seed) => Plan(seed, new Prng(seed));

    private static (Scenario Scenario, IReadOnlyList<PlannedFault> Faults) Plan(ulong seed, Prng random)
    {
        var scenario = Scenario.Draw(seed, random);
        return (scenario, FaultPlan.Draw(scenario, random.Fork()));
    }

    private static World Run(ulong seed, PlantedBug bug, Reduction reduction, EventQueue events, Trace trace)
    {
        var random = new Prng(seed);
        (Scenario drawn, IReadOnlyList<PlannedFault> plan) = Plan(seed, random);
        Scenario scenario = reduction.Of(drawn);
        World world = WorldBuilder.Build(scenario, bug, random, events, trace);
        world.Clients.RemoveAll(client => !reduction.KeepsClient(client.Number));
        trace.Add($"seed {seed}: {scenario.Peers} peers, {world.Clients.Count} clients, shared database {scenario.SharesDatabase}, drift {scenario.DriftMax}, {scenario.Options}, {scenario.Network}, faults {string.Join(' ', scenario.Faults)}");
        try
        {
            Run(world, new FaultInjector(world, reduction.Of(plan), random.Fork()));
        }
        catch (Exception) when (bug.IsJudgedByHistoriesAlone)
        {
            // Whatever broke inside: what clients had seen by then is judged.
            world.Invariants.AtEnd(world);
            throw;
        }
        return world;
    }

    private static void Run(World world, FaultInjector faults)
    {
        faults.Start();
        foreach (SimulatedClient client in world.Clients)
            client.Start();
        world.Events.RunUntil(world.Scenario.SafetyUs);
        faults.Heal();
        Converge(world);
        if (world.Scenario.Options.QuiesceElections > 0)
        {
            new RestingRounds(world, world.Scenario.StreamOf(nameof(RestingRounds))).Run();
            RequireRest(world);
        }
        world.Invariants.AtEnd(world);
        world.Happenings.Count(Happening.Converged);
    }

    private static void Converge(World world)
    {
        long tickUs = world.Scenario.Options.TickUs;
        long known = world.Invariants.KnownIndex;
        bool serves = world.Events.RunUntil(
            world.Events.NowUs + (TicksToServe * tickUs), () => world.Invariants.KnownIndex > known);
        Require(serves, world, $"a healed cluster has answered nothing new within {TicksToServe} ticks");
        foreach (SimulatedClient client in world.Clients)
            client.Rest();
        world.Events.RunUntil(world.Events.NowUs + LastWordsUs);
        if (!world.Events.RunUntil(
            world.Events.NowUs + (TicksToTell * tickUs) + ReconnectUs, Every(world, 100_000, () => world.Invariants.HasToldAll(world))))
            world.Invariants.RequireTold(world);
        foreach (SimulatedClient client in world.Clients)
            client.Drain();
        RequireRest(world);
    }

    private static void RequireRest(World world)
    {
        bool rests = world.Events.RunUntil(
            world.Events.NowUs + (TicksToRest * world.Scenario.Options.TickUs) + RestUs, Every(world, 100_000, () => IsAtRest(world)));
        Require(rests, world, $"a healed cluster has not come to rest within {TicksToRest} ticks");
    }

    /// <summary>The longest TTL and the longest patience of a client: what they left behind ends by then.</summary>
    private const long RestUs = 60_000_000;

    /// <summary>What a client may need, at the most, to notice that its connection is dead and to find one that serves it.</summary>
    private const long ReconnectUs = 45_000_000;

    /// <summary>In which what clients did last is done.</summary>
    private const long LastWordsUs = 2_000_000;

    private static bool IsAtRest(World world) =>
        world.Clients.TrueForAll(client => client.IsIdle)
        && world.Operator.IsIdle
        && world.Peers.TrueForAll(peer => !world.IsSound(peer) || HasCaughtUp(world, peer));

    private static bool HasCaughtUp(World world, SimulatedPeer peer) =>
        peer is { Processes: [{ Machine: { Service: Replica.ServiceState.Running } machine }] }
        && machine.State.AppliedIndex == world.Invariants.Log.LastIndex
        && machine.State.NextDueUs == long.MaxValue;

    /// <summary>Asks only now and then: the answer is dear.</summary>
    private static Func<bool> Every(World world, long intervalUs, Func<bool> ask)
    {
        long nextUs = 0;
        return () =>
        {
            if (world.Events.NowUs < nextUs)
                return false;
            nextUs = world.Events.NowUs + intervalUs;
            return ask();
        };
    }

    private static void Require(bool condition, World world, string message)
    {
        if (!condition)
            throw new InvariantViolation("liveness", $"{message}: {Describe(world)}");
    }

    public static string Describe(World world) => string.Join(
        "; ",
        [
            .. world.Peers.Select(peer => $"peer {peer.Id}{(peer.IsLost ? " (lost)" : "")}: "
                + string.Join(", ", peer.Processes.Select(process => process.Machine?.GetStatus().ToString() ?? "activating"))),
            .. world.Clients.Select(client => $"client {client.Number}: {client.Describe()}"),
        ]);
}

/// <param name="SimulatedUs">Virtual time from the first event to the last.</param>
internal sealed record RunResult(
    Happenings Happenings, long SimulatedUs, int Peers, long Events, ulong TraceHash, long TraceLines);
