using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>The example of the README of Coordinator.Raft, word for word.</summary>
internal static class ReadmeExample
{
    // begin of the example
    public sealed class MapNode(int id, MemoryStorage log)
    {
        public RawNode Raft { get; } = new(new RaftOptions { Id = new PeerId(id), Storage = log, Seed = 42 });
        public Dictionary<string, string> Map { get; } = [];

        public IReadOnlyList<Message> Work()
        {
            Ready ready = Raft.Ready();
            if (!ready.HardState.IsEmpty) log.SetHardState(ready.HardState);
            log.Append(ready.Entries);      // A real node makes both durable here, before it sends anything.
            foreach (Entry entry in ready.CommittedEntries)
            {
                string[] pair = Encoding.UTF8.GetString(entry.Data.Span).Split('=');
                if (pair is [var key, var value]) Map[key] = value;    // A new leader's first entry is empty.
            }

            Raft.Advance();
            return ready.Messages;
        }
    }

    public static MapNode[] Run()
    {
        ConfState members = new() { Voters = [new PeerId(1), new PeerId(2), new PeerId(3)] };
        MapNode[] nodes = [.. members.Voters.Select((_, i) => new MapNode(i + 1, new MemoryStorage(members)))];
        while (!nodes.Any(node => node.Raft.IsLeader))
        {
            Array.ForEach(nodes, node => node.Raft.Tick());            // Time is yours: say, a tick every 100 ms.
            Exchange(nodes);
        }

        nodes.Single(node => node.Raft.IsLeader).Raft.Propose("colour=blue"u8.ToArray());
        Exchange(nodes);
        return nodes;                                                  // In every Map, colour is blue.
    }

    private static void Exchange(MapNode[] nodes)
    {
        while (nodes.FirstOrDefault(node => node.Raft.HasReady) is { } busy)
            foreach (Message message in busy.Work()) nodes[message.To.Value - 1].Raft.Step(message);
    }
    // end of the example
}
