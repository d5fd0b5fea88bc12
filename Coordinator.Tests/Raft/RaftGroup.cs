using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>
/// A group of peers in memory, with a network that can be cut. Time passes only by ticks; messages move only in
/// <see cref="Settle"/>.
/// </summary>
internal sealed class RaftGroup
{
    private readonly SortedDictionary<long, GroupPeer> _peers = [];
    private readonly HashSet<(long From, long To)> _cut = [];
    private readonly Func<RaftOptions, RaftOptions> _configure;

    public RaftGroup(int voters, Func<RaftOptions, RaftOptions>? configure = null, int learners = 0)
    {
        _configure = configure ?? (o => o);
        ConfState members = new()
        {
            Voters = Ids(1, voters),
            Learners = Ids(voters + 1, learners),
        };
        for (int id = 1; id <= voters + learners; id++)
        {
            Add(id, [], members);
        }
    }

    private RaftGroup(IReadOnlyList<long[]> logs, Func<RaftOptions, RaftOptions>? configure)
    {
        _configure = configure ?? (o => o);
        for (int i = 0; i < logs.Count; i++)
        {
            Add(i + 1, logs[i], new ConfState { Voters = Ids(1, logs.Count) });
        }
    }

    /// <summary>Messages that were sent, lost ones included.</summary>
    public List<Message> Sent { get; } = [];

    /// <summary>Messages that are lost, beside those on cut ways.</summary>
    public Func<Message, bool> Lose { get; set; } = _ => false;

    public GroupPeer this[int id] => _peers[id];

    public GroupPeer Leader => _peers.Values.Where(p => p.Raft.IsLeader).MaxBy(p => p.Raft.Term)!;

    /// <summary>A group whose logs hold entries of these terms, each peer in its last one's term.</summary>
    public static RaftGroup WithLogs(IReadOnlyList<long[]> logs, Func<RaftOptions, RaftOptions>? configure = null) =>
        new(logs, configure);

    public static PeerId[] Ids(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(id => new PeerId(id))];

    /// <summary>
    /// Starts a peer that isn't a member yet. Knowing the first voters it can follow the log from its beginning;
    /// otherwise it needs a snapshot in which it is a member.
    /// </summary>
    public GroupPeer AddNewcomer(int id, int knownVoters = 0) =>
        Add(id, [], new ConfState { Voters = Ids(1, knownVoters) });

    public void Isolate(int id)
    {
        foreach (long other in _peers.Keys)
        {
            Cut(id, other);
        }
    }

    public void Cut(long one, long other)
    {
        _cut.Add((one, other));
        _cut.Add((other, one));
    }

    public void Heal()
    {
        _cut.Clear();
        Lose = _ => false;
    }

    public GroupPeer Elect(int id)
    {
        this[id].Raft.Campaign();
        Settle();
        Assert.True(this[id].Raft.IsLeader, $"{id} isn't the leader");
        return this[id];
    }

    public void TickAll(int times)
    {
        for (int i = 0; i < times; i++)
        {
            foreach (GroupPeer peer in _peers.Values)
            {
                peer.Raft.Tick();
            }

            Settle();
        }
    }

    /// <summary>Works and delivers until nothing is left to do.</summary>
    public void Settle()
    {
        for (int round = 0; round < 10_000; round++)
        {
            List<Message> messages = [];
            foreach (GroupPeer peer in _peers.Values)
            {
                while (peer.Raft.HasReady)
                {
                    messages.AddRange(peer.Work());
                }
            }

            if (messages.Count == 0)
            {
                return;
            }

            Sent.AddRange(messages);
            foreach (Message message in messages)
            {
                Deliver(message);
            }
        }

        Assert.Fail("the group never comes to rest");
    }

    public void Deliver(Message message)
    {
        bool lost = _cut.Contains((message.From.Value, message.To.Value)) || Lose(message);
        if (!lost && _peers.TryGetValue(message.To.Value, out GroupPeer? peer))
        {
            peer.Raft.Step(message);
        }
    }

    private GroupPeer Add(int id, long[] terms, ConfState members)
    {
        MemoryStorage storage = new();
        storage.ApplySnapshot(new Snapshot(0, Term.Zero, members, default));
        storage.Append([.. terms.Select((term, i) => new Entry(new Term(term), i + 1, EntryType.Normal, default))]);
        if (terms.Length > 0)
        {
            storage.SetHardState(new HardState(new Term(terms[^1]), PeerId.None, 0));
        }

        return _peers[id] = new GroupPeer(new PeerId(id), storage, _configure);
    }
}
