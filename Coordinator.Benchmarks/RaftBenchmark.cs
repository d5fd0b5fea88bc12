using System.Diagnostics;
using Coordinator.Raft;

namespace Coordinator.Benchmarks;

/// <summary>
/// The bare core in memory: three nodes, 128-byte entries, from proposal to commit on the leader. Beside it the naive
/// loop, which proposes one entry and waits for its commit.
/// </summary>
internal static class RaftBenchmark
{
    private const int EntryBytes = 128;
    private static readonly int[] BatchSizes = [1, 16, 64, 256];

    public static int Run(string[] args)
    {
        int seconds = 3;
        if (args is ["--seconds", var text] && int.TryParse(text, out int given) && given is >= 1 and <= 600)
            seconds = given;
        else if (args.Length > 0)
        {
            Console.Error.WriteLine("raft takes --seconds N (1 to 600).");
            return 2;
        }
        Console.WriteLine($"{"entries a batch",16} {"entries/s",12} {"x naive",8} {"bytes/entry",12}");
        double naive = 0;
        foreach (int batch in BatchSizes)
        {
            Measure(batch, TimeSpan.FromSeconds(1));
            (double rate, double bytes) = Measure(batch, TimeSpan.FromSeconds(seconds));
            naive = batch == 1 ? rate : naive;
            Console.WriteLine($"{batch,16} {rate,12:F0} {rate / naive,8:F1} {bytes,12:F0}");
        }
        return 0;
    }

    private static (double EntriesPerSecond, double BytesPerEntry) Measure(int batch, TimeSpan duration)
    {
        var cluster = new MemoryCluster(nodes: 3);
        var proposals = new Proposal[batch];
        Array.Fill(proposals, new Proposal(new byte[EntryBytes], 0));
        long entries = 0;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long startedAt = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(startedAt) < duration)
        {
            cluster.Commit(proposals);
            entries += batch;
        }
        double elapsed = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        return (entries / elapsed, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)entries);
    }

    /// <summary>Synchronous storage, messages delivered at once: nothing but the core's own work.</summary>
    private sealed class MemoryCluster
    {
        private const long EntriesKept = 10_000;

        private readonly RawNode[] _nodes;
        private readonly MemoryStorage[] _storages;
        private readonly Queue<Message> _messages = new();

        public MemoryCluster(int nodes)
        {
            var members = new ConfState { Voters = [.. Enumerable.Range(1, nodes).Select(id => new PeerId(id))] };
            _storages = [.. members.Voters.Select(_ => new MemoryStorage(members))];
            _nodes = [.. members.Voters.Select((id, at) => new RawNode(new RaftOptions
            {
                Id = id,
                Storage = _storages[at],
                Seed = (ulong)id.Value,
            }))];
            Leader.Campaign();
            Run();
            if (!Leader.IsLeader)
                throw new InvalidOperationException("No leader was elected.");
        }

        private RawNode Leader => _nodes[0];

        public void Commit(ReadOnlySpan<Proposal> proposals)
        {
            if (Leader.Propose(proposals) != ProposalResult.Appended)
                throw new InvalidOperationException("The leader refused a proposal.");
            Run();
            if (Leader.CommitIndex != Leader.LastIndex)
                throw new InvalidOperationException("A proposal was not committed.");
        }

        private void Run()
        {
            bool busy = true;
            while (busy)
            {
                busy = false;
                for (int at = 0; at < _nodes.Length; at++)
                    busy |= Drain(_nodes[at], _storages[at]);
                while (_messages.TryDequeue(out Message? message))
                {
                    _nodes[message.To.Value - 1].Step(message);
                    busy = true;
                }
            }
        }

        private bool Drain(RawNode node, MemoryStorage storage)
        {
            if (!node.HasReady)
                return false;
            Ready ready = node.Ready();
            if (!ready.HardState.IsEmpty)
                storage.SetHardState(ready.HardState);
            storage.Append(ready.Entries);
            foreach (Message message in ready.Messages)
                _messages.Enqueue(message);
            node.Advance();
            if (node.AppliedIndex - storage.FirstIndex > 2 * EntriesKept)
                storage.Compact(node.AppliedIndex - EntriesKept);
            return true;
        }
    }
}
