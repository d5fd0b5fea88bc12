using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>The example of the README of Coordinator.Raft, word for word.</summary>
internal static class ReadmeExample
{
    // begin of the example
    public sealed class MapNode(int id, ConfState members)
    {
        private readonly MemoryStorage _log = new(members);
        private RawNode? _raft;

        public Dictionary<string, string> Map { get; } = [];

        public RawNode Raft => _raft ??= new(new RaftOptions { Id = new PeerId(id), Storage = _log, Seed = 42 });

        public ProposalResult Set(string key, string value) => Raft.Propose(Encoding.UTF8.GetBytes($"{key}={value}"));

        // Writes, applies, and returns what is to be sent.
        public IReadOnlyList<Message> Work()
        {
            Ready ready = Raft.Ready();
            if (!ready.HardState.IsEmpty)
            {
                _log.SetHardState(ready.HardState);     // A real node makes these two durable here,
            }

            _log.Append(ready.Entries);                 // before it sends anything.
            foreach (Entry entry in ready.CommittedEntries)
            {
                if (!entry.Data.IsEmpty)                // A new leader's first entry is empty.
                {
                    string[] pair = Encoding.UTF8.GetString(entry.Data.Span).Split('=');
                    Map[pair[0]] = pair[1];
                }
            }

            Raft.Advance();
            return ready.Messages;
        }
    }

    public static MapNode[] ElectAndSet()
    {
        ConfState members = new() { Voters = [new PeerId(1), new PeerId(2), new PeerId(3)] };
        MapNode[] nodes = [new(1, members), new(2, members), new(3, members)];
        while (!nodes.Any(node => node.Raft.IsLeader))
        {
            Array.ForEach(nodes, node => node.Raft.Tick());     // Time is yours: say, one tick every 100 ms.
            Exchange(nodes);
        }

        nodes.Single(node => node.Raft.IsLeader).Set("colour", "blue");
        Exchange(nodes);
        return nodes;                                           // Every Map holds colour = blue.
    }

    private static void Exchange(MapNode[] nodes)
    {
        while (nodes.FirstOrDefault(node => node.Raft.HasReady) is { } node)
        {
            foreach (Message message in node.Work())
            {
                nodes[message.To.Value - 1].Raft.Step(message);
            }
        }
    }
    // end of the example
}
