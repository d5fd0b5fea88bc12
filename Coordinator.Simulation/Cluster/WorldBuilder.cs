using System.Buffers;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Invariants;
using Coordinator.Simulation.Network;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>Makes the world that a scenario describes, bootstrapped as rule 1 says, with nothing running yet.</summary>
internal static class WorldBuilder
{
    private static readonly Term FirstTerm = new(1);

    public static World Build(Scenario scenario, PlantedBug bug, Prng random, EventQueue events, Trace trace)
    {
        var happenings = new Happenings();
        World? world = null;
        world = new World
        {
            Scenario = scenario,
            Bug = bug,
            Events = events,
            Trace = trace,
            Happenings = happenings,
            Scheduling = random.Fork(),
            Network = new SimulatedNetwork(scenario.Peers + scenario.Clients, events, random.Fork(), happenings)
            {
                Faults = scenario.Network,
            },
            Invariants = new InvariantSet(scenario, events, trace, happenings, () => world!),
        };
        AddDatabases(world, random);
        AddPeers(world, random);
        for (int i = 0; i < scenario.Clients; i++)
        {
            NodeClock clock = DrawClock(world, random);
            world.Clients.Add(random.Chance(0.5)
                ? new PlainClient(world, i, clock, random.Fork())
                : new LibraryClient(world, i, clock, random.Fork()));
        }
        return world;
    }

    private static void AddDatabases(World world, Prng random)
    {
        int count = world.Scenario.SharesDatabase ? 1 : world.Scenario.Peers;
        for (int i = 0; i < count; i++)
        {
            world.Databases.Add(new SimulatedDatabase($"{i + 1}", world.Events, random.Fork(), world.Trace, world.Happenings)
            {
                Plants = world.Bug.Storage,
                Landing = world.Invariants.Landing,
                Refusing = InvariantSet.Refusing,
                Activating = world.Invariants.RowActivated,
            });
        }
    }

    private static void AddPeers(World world, Prng random)
    {
        Scenario scenario = world.Scenario;
        PeerRecord[] records = [.. Enumerable.Range(1, scenario.Peers).Select(id =>
            new PeerRecord(new PeerId(id), new Guid(random.Bytes(16)), $"silo-{id}"))];
        ReadOnlyMemory<byte> snapshot = FirstSnapshot(scenario, records, new Guid(random.Bytes(16)));
        foreach (PeerRecord record in records)
        {
            var key = new PeerKey(0, record.Id);
            SimulatedDatabase database = world.Databases[scenario.SharesDatabase ? 0 : (int)record.Id.Value - 1];
            database.Bootstrap(FirstRow(scenario, key, record.StorageId, snapshot));
            world.Peers.Add(new SimulatedPeer(world, key, database, DrawClock(world, random)));
        }
    }

    private static ReadOnlyMemory<byte> FirstSnapshot(Scenario scenario, PeerRecord[] records, Guid clusterId)
    {
        var membership = new GroupMembership
        {
            ClusterId = clusterId,
            Group = 0,
            ConfState = new ConfState { Voters = [.. records.Select(record => record.Id)] },
            Peers = records,
            NextPeerId = new PeerId(records.Length + 1),
        };
        var state = CoordinationState.Create(
            StateSettings.Default, membership, scenario.BaseIndex, FirstTerm, baseRevision: scenario.BaseIndex);
        var bytes = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(bytes);
        return bytes.WrittenMemory;
    }

    private static SimulatedRow FirstRow(Scenario scenario, PeerKey key, Guid storageId, ReadOnlyMemory<byte> snapshot)
    {
        var row = new SimulatedRow
        {
            Key = key,
            StorageId = storageId,
            HardState = new HardState(FirstTerm, PeerId.None, scenario.BaseIndex),
            Pointer = new SnapshotPointer(0, 0, scenario.BaseIndex, FirstTerm, SnapshotPointer.ChunksOf(snapshot.Length), snapshot.Length),
        };
        row.Chunks.Add((0, 0), snapshot);
        return row;
    }

    private static NodeClock DrawClock(World world, Prng random) => new(
        world.Events, 1 + (world.Scenario.DriftMax * ((2 * random.Fraction()) - 1)), random.Below(1L << 40));
}
