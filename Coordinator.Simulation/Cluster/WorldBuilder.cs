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
        GroupMembership membership = FirstMembership(scenario, random);
        World? world = null;
        world = new World
        {
            Scenario = scenario,
            Bug = bug,
            Events = events,
            Trace = trace,
            Happenings = happenings,
            Scheduling = random.Fork(),
            Network = new SimulatedNetwork(scenario.PeersMax + scenario.Clients, events, random.Fork(), happenings)
            {
                Faults = scenario.Network,
            },
            Invariants = new InvariantSet(
                scenario, membership, events, trace, happenings, () => world!, bug.IsJudgedByHistoriesAlone),
        };
        world.Operator = new Operator(world, random.Fork());
        if (scenario.Options.QuiesceElections > 0)
            world.Links = new SiloLinks(world, scenario.StreamOf(nameof(SiloLinks)));
        AddFirstPeers(world, random, membership);
        for (int i = 0; i < scenario.Clients; i++)
        {
            NodeClock clock = DrawClock(world, random);
            world.Clients.Add(random.Chance(0.5)
                ? new PlainClient(world, i, clock, random.Fork())
                : new LibraryClient(world, i, clock, random.Fork()));
        }
        return world;
    }

    /// <summary>A peer that is to join: its row is made before it is proposed, and knows nothing (rule 1).</summary>
    public static SimulatedPeer AddPeer(World world, Prng random, PeerRecord record)
    {
        GroupMembership membership = world.Invariants.Membership;
        var bytes = new ArrayBufferWriter<byte>();
        CoordinationState.CreateBlank(membership.ClusterId, membership.Group).WriteSnapshot(bytes);
        SimulatedPeer peer = AddPeer(world, random, record, default, index: 0, Term.Zero, bytes.WrittenMemory);
        // A backup of a peer that knows nothing is the furthest that its storage can go back.
        if (random.Chance(0.5))
            peer.Database.TakeBackup();
        return peer;
    }

    private static void AddFirstPeers(World world, Prng random, GroupMembership membership)
    {
        long index = world.Scenario.BaseIndex;
        var state = CoordinationState.Create(world.Scenario.State, membership, index, FirstTerm, baseRevision: index,
            featureLevel: world.Scenario.FirstLevel);
        var bytes = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(bytes);
        foreach (PeerRecord record in membership.Peers)
            AddPeer(world, random, record, new HardState(FirstTerm, PeerId.None, index), index, FirstTerm, bytes.WrittenMemory);
    }

    private static GroupMembership FirstMembership(Scenario scenario, Prng random)
    {
        PeerRecord[] records = [.. Enumerable.Range(1, scenario.Peers).Select(id =>
            new PeerRecord(new PeerId(id), new Guid(random.Bytes(16)), $"silo-{id}"))];
        return new GroupMembership
        {
            ClusterId = new Guid(random.Bytes(16)),
            Group = 0,
            ConfState = new ConfState { Voters = [.. records.Select(record => record.Id)] },
            Peers = records,
            NextPeerId = new PeerId(records.Length + 1),
        };
    }

    private static SimulatedPeer AddPeer(
        World world, Prng random, PeerRecord record, HardState hardState, long index, Term term, ReadOnlyMemory<byte> snapshot)
    {
        var row = new SimulatedRow
        {
            Key = new PeerKey(0, record.Id),
            StorageId = record.StorageId,
            HardState = hardState,
            Pointer = new SnapshotPointer(0, 0, index, term, SnapshotPointer.ChunksOf(snapshot.Length), snapshot.Length),
        };
        row.Chunks.Add((0, 0), snapshot);
        SimulatedDatabase database = world.Scenario.SharesDatabase && world.Databases.Count > 0
            ? world.Databases[0]
            : AddDatabase(world, random);
        database.Bootstrap(row);
        var peer = new SimulatedPeer(world, row.Key, database, DrawClock(world, random))
        {
            // Whoever joins later is set up with the newest.
            ProgramLevel = world.Peers.Count < world.Scenario.Peers ? world.Scenario.FirstLevel : FeatureLevels.Known,
            // Written before the row was made.
            File = new StorageWitness(new StorageMark(record.StorageId, 0, 0), database.Moment),
        };
        world.Peers.Add(peer);
        return peer;
    }

    private static SimulatedDatabase AddDatabase(World world, Prng random)
    {
        var database = new SimulatedDatabase($"{world.Databases.Count + 1}", world.Events, random.Fork(), world.Trace, world.Happenings)
        {
            Plants = world.Bug.Storage,
            Landing = world.Invariants.Landing,
            Refusing = InvariantSet.Refusing,
            Activating = world.Invariants.RowActivated,
        };
        world.Databases.Add(database);
        return database;
    }

    private static NodeClock DrawClock(World world, Prng random) => new(
        world.Events, 1 + (world.Scenario.DriftMax * ((2 * random.Fraction()) - 1)), random.Below(1L << 40));
}
