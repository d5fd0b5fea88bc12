using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>
/// One member of the group, whatever processes run for it: none while it is down, two where an old activation lives on
/// after a new one took over.
/// </summary>
internal sealed class SimulatedPeer(World world, PeerKey key, SimulatedDatabase database, NodeClock clock)
{
    private readonly Prng _random = world.Scheduling.Fork();

    public PeerKey Key { get; } = key;

    public PeerId Id => Key.Peer;

    public int Place => (int)Id.Value - 1;

    public SimulatedDatabase Database { get; } = database;

    public NodeClock Clock { get; } = clock;

    /// <summary>Oldest first.</summary>
    public List<PeerProcess> Processes { get; } = [];

    public PeerProcess? Newest => Processes.Count > 0 ? Processes[^1] : null;

    /// <summary>Its storage was rolled back or emptied: it comes back only under a new peer id (rule 1).</summary>
    public bool IsLost { get; set; }

    /// <summary>It is lost because its rows are gone.</summary>
    public bool IsEmptied { get; set; }

    /// <summary>It has left the group, and is switched off for good.</summary>
    public bool IsRetired { get; set; }

    /// <summary>
    /// What it stores was changed by hand, and it counts as lost: but it runs, and says what it says, until it is found.
    /// </summary>
    public bool IsAltered { get; set; }

    /// <summary>Of the altered entry; 0: it is the snapshot.</summary>
    public long AlteredIndex { get; set; }

    /// <summary>It was altered, or its database is old, and it has taken itself out.</summary>
    public bool IsFound { get; set; }

    /// <summary>Its database went back in time while it was down; it counts as lost, but is started until it is found.</summary>
    public bool IsOld { get; set; }

    /// <summary>The file beside the silo; null: there is none.</summary>
    public StorageWitness? File { get; set; }

    /// <summary>Its database's history has gone on from where its file last saw it.</summary>
    public bool IsVouchedFor => File is { } file && Database.Moment.Continues(file.Moment);

    /// <summary>The highest feature level of the program that its next process runs.</summary>
    public required int ProgramLevel { get; set; }

    /// <summary>The highest feature level of the programs that it has run.</summary>
    public int HighestLevelRun { get; private set; }

    /// <summary>Down on purpose for now; nobody starts it.</summary>
    public bool IsHeldDown { get; set; }

    public int Starts { get; private set; }

    /// <summary>Starts a process that activates the peer, beside those that may still run.</summary>
    public void Start()
    {
        var process = new PeerProcess(world, this, ++Starts, _random.Fork());
        Processes.Add(process);
        world.Trace.Add($"peer {Id}: process {process.Number} starts");
        process.Start();
    }

    public void Activated(PeerProcess process)
    {
        HighestLevelRun = Math.Max(HighestLevelRun, process.ProgramLevel);
        if (world.Peers.Exists(peer => peer.Newest is { Machine: not null } other && other.ProgramLevel != process.ProgramLevel))
            world.Happenings.Count(Happening.MixedVersions);
    }

    public void Crash(PeerProcess process)
    {
        Remove(process);
        world.Links?.Died(this);
    }

    /// <summary>The peer has stopped by itself; its silo lives on, and the links with it.</summary>
    public void Remove(PeerProcess process)
    {
        process.Kill();
        Processes.Remove(process);
        world.Trace.Add($"peer {Id}: process {process.Number} is gone");
    }

    public void CrashAll()
    {
        while (Newest is { } process)
            Crash(process);
    }

    /// <summary>Which process a message reaches is the host's business: usually the newest, sometimes an older, or both.</summary>
    public void Deliver(Envelope envelope, bool fromNewest)
    {
        if (Processes.Count == 0)
            return;
        if (world.IsSplitByAge)
        {
            Processes[fromNewest ? ^1 : 0].Receive(envelope);
            return;
        }
        if (Processes.Count == 1 || _random.Chance(0.6))
        {
            Processes[^1].Receive(envelope);
            return;
        }
        int older = _random.Below(Processes.Count - 1);
        world.Happenings.Count(Happening.MessageToFencedActivation);
        Processes[older].Receive(envelope);
        if (_random.Chance(0.5))
            Processes[^1].Receive(envelope);
    }

    /// <summary>The process that a client's connection to this silo ends at.</summary>
    public PeerProcess? Reached(bool forRead) => Processes.Count == 0 ? null
        : world.IsSplitByAge ? Processes[_random.Chance(forRead ? 0.5 : 0.05) ? 0 : ^1]
        : _random.Chance(0.7) ? Processes[^1]
        : Processes[_random.Below(Processes.Count)];
}
