using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>
/// A cluster under random faults, from one seed: messages are lost, doubled and reordered, peers crash at any point of
/// their storage work and come back with what they had written, logs are compacted, members change.
/// </summary>
internal sealed class RandomCluster
{
    private const int FirstVoters = 3;
    private const int MaxPeers = 5;

    private readonly Random _random;
    private readonly ClusterInvariants _invariants = new();
    private readonly List<Message> _network = [];
    private readonly List<RandomPeer> _peers = [];
    private readonly SortedDictionary<string, int> _events = [];
    private readonly bool _changesMembers;
    private int _proposals;

    public RandomCluster(int seed, bool changesMembers)
    {
        _random = new Random(seed);
        _changesMembers = changesMembers;
        ConfState members = new() { Voters = RaftGroup.Ids(1, FirstVoters) };
        bool applyEarly = _random.Next(2) == 0;
        bool preVote = _random.Next(2) == 0;
        for (int id = 1; id <= (changesMembers ? MaxPeers : FirstVoters); id++)
        {
            _peers.Add(new RandomPeer(new PeerId(id), members, _invariants, options => options with
            {
                Seed = (ulong)seed,
                ElectionTicks = 5,
                ApplyBeforeOwnWrite = applyEarly,
                PreVote = preVote,
                CheckQuorum = preVote,
                MaxMessageBytes = 200,
                MaxInflightMessages = 4,
                MaxCommittedBytesPerReady = 300,
            }));
        }
    }

    public IReadOnlyDictionary<string, int> Events => _events;

    public void Run(int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            Step();
        }

        Count("elections", _invariants.Elections);
        Count("committed", _invariants.Committed);
    }

    /// <summary>Faults end: everything proposed now must be committed everywhere.</summary>
    public void HealAndConverge()
    {
        foreach (RandomPeer peer in _peers.Where(p => !p.IsUp))
        {
            peer.Start();
        }

        long before = _invariants.Committed;
        for (int tick = 0; tick < 2000 && !Converged(before); tick++)
        {
            _peers.ForEach(p => p.Raft.Tick());
            Propose(_peers[tick % _peers.Count]);
            Exchange();
            if (tick % 50 == 49)
            {
                // Newcomers need a snapshot in which they are members.
                _peers.ForEach(p => p.Compact(0));
            }
        }

        Assert.True(Converged(before), $"no convergence: {string.Join("; ", _peers)}");
        ClusterInvariants.CheckLogMatching(_peers);
    }

    private bool Converged(long before) =>
        _invariants.Committed > before + 5
        && _peers.Where(p => _peers.Any(l => l.Raft.IsLeader && l.Raft.Configuration.Contains(p.Raft.Id)))
            .All(p => p.AppliedIndex > before)
        && _peers.Any(p => p.Raft.IsLeader);

    private void Step()
    {
        RandomPeer peer = _peers[_random.Next(_peers.Count)];
        int dice = _random.Next(1000);
        if (!peer.IsUp || dice < 3)
        {
            if (peer.IsUp || dice < 50)
            {
                Count(peer.IsUp ? "crash" : "start");
                Toggle(peer);
            }
        }
        else if (dice < 400)
        {
            DeliverOne();
        }
        else if (dice < 460)
        {
            peer.Raft.Tick();
        }
        else if (dice < 500)
        {
            Propose(peer);
        }
        else if (dice < 520)
        {
            peer.Compact(_random.Next(5));
        }
        else if (dice < 523)
        {
            peer.Raft.TransferLeader(new PeerId(1 + _random.Next(_peers.Count)));
        }
        else if (dice < 540 && _changesMembers)
        {
            ProposeChange(peer);
        }
        else
        {
            _network.AddRange(dice < 750 ? peer.TakeReady() : peer.DoStorageWork());
        }

        if (_random.Next(50) == 0)
        {
            ClusterInvariants.CheckLogMatching(_peers);
        }
    }

    private void Toggle(RandomPeer peer)
    {
        if (!peer.IsUp)
        {
            peer.Start();
        }
        else if (_peers.Count(p => p.IsUp) > 1)
        {
            peer.Crash();
        }
    }

    private void DeliverOne()
    {
        if (_network.Count == 0)
        {
            return;
        }

        int at = _random.Next(Math.Min(_network.Count, 10));
        Message message = _network[at];
        int fate = _random.Next(20);
        if (fate != 0)
        {
            _network.RemoveAt(at);
        }

        Count(fate == 0 ? "doubled" : fate == 1 ? "lost" : at > 0 ? "reordered" : "delivered");
        bool arrives = fate != 1 && _peers[(int)message.To.Value - 1].IsUp;
        if (arrives)
        {
            Deliver(message);
        }

        if (message.Type == MessageType.Snap)
        {
            ReportSnapshot(message, arrives);
        }
    }

    private void Deliver(Message message)
    {
        RandomPeer to = _peers[(int)message.To.Value - 1];
        to.Raft.Step(message);
        _invariants.Observe(to);
    }

    /// <summary>Whoever sends a snapshot must tell Raft what became of it; news may be wrong the safe way.</summary>
    private void ReportSnapshot(Message snapshot, bool arrived)
    {
        Count(arrived ? "snapshot" : "snapshot lost");
        RandomPeer from = _peers[(int)snapshot.From.Value - 1];
        if (from.IsUp)
        {
            bool good = arrived && _random.Next(4) != 0;
            from.Raft.ReportSnapshot(snapshot.To, good ? SnapshotStatus.Finished : SnapshotStatus.Failed);
        }
    }

    private void Exchange()
    {
        for (int round = 0; round < 20; round++)
        {
            foreach (RandomPeer peer in _peers)
            {
                _network.AddRange(peer.TakeReady());
                while (peer.HasStorageWork)
                {
                    _network.AddRange(peer.DoStorageWork());
                }
            }

            Message[] messages = [.. _network];
            _network.Clear();
            foreach (Message message in messages)
            {
                Deliver(message);
                if (message.Type == MessageType.Snap)
                {
                    ReportSnapshot(message, arrived: true);
                }
            }
        }
    }

    private void Propose(RandomPeer peer) => peer.Raft.Propose(Encoding.UTF8.GetBytes($"{++_proposals}"));

    private void ProposeChange(RandomPeer peer)
    {
        PeerId member = new(1 + _random.Next(MaxPeers));
        ConfChangeSingle one = new((ConfChangeType)_random.Next(4), member);
        ConfChangeSingle other = new(ConfChangeType.AddNode, new PeerId(1 + _random.Next(MaxPeers)));
        ConfChangeSingle[] changes = _random.Next(3) == 0 ? [] : _random.Next(2) == 0 ? [one] : [one, other];
        ConfChangeTransition transition = (ConfChangeTransition)(changes.Length == 0 ? 0 : _random.Next(3));
        if (peer.Raft.IsLeader && IsSafe(peer.Raft.Configuration, changes))
        {
            Count("change");
            peer.Raft.ProposeConfChange(new ConfChangeV2 { Transition = transition, Changes = changes });
        }
    }

    // Changes that leave fewer than two voters would make the cluster wait for one peer.
    private static bool IsSafe(Configuration now, ConfChangeSingle[] changes)
    {
        IEnumerable<PeerId> removed = changes
            .Where(c => c.Type is ConfChangeType.RemoveNode or ConfChangeType.AddLearnerNode)
            .Select(c => c.Peer);
        return now.Voters.Incoming.Except(removed).Count() >= 2;
    }

    private void Count(string what, long by = 1) => _events[what] = _events.GetValueOrDefault(what) + (int)by;
}
