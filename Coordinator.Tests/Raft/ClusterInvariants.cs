using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>The safety properties of figure 3 of the Raft paper, checked as things happen.</summary>
internal sealed class ClusterInvariants
{
    private readonly Dictionary<Term, PeerId> _leaders = [];
    private readonly Dictionary<PeerId, (Term Term, long Commit, long Applied)> _seen = [];
    private readonly List<Entry> _committed = [];

    public int Elections => _leaders.Count;

    /// <summary>The highest index that any peer has applied.</summary>
    public long Committed => _committed.Count;

    public void Forget(RandomPeer peer) => _seen.Remove(peer.Id);

    public void Observe(RandomPeer peer)
    {
        RawNode raft = peer.Raft;
        if (_seen.TryGetValue(peer.Id, out var before))
        {
            Assert.True(raft.Term >= before.Term, $"the term of {peer} went back from {before.Term}");
            Assert.True(raft.CommitIndex >= before.Commit, $"the commit index of {peer} went back from {before.Commit}");
            Assert.True(raft.AppliedIndex >= before.Applied, $"the applied index of {peer} went back from {before.Applied}");
        }

        _seen[peer.Id] = (raft.Term, raft.CommitIndex, raft.AppliedIndex);
        if (raft.IsLeader && _leaders.TryAdd(raft.Term, peer.Id))
        {
            CheckLeaderCompleteness(peer);
        }

        Assert.True(
            !raft.IsLeader || _leaders[raft.Term] == peer.Id,
            $"two leaders in term {raft.Term}: {(raft.IsLeader ? _leaders[raft.Term] : default)} and {peer}");
    }

    /// <summary>State Machine Safety: all apply the same entry at an index.</summary>
    public void Applied(RandomPeer peer, in Entry entry)
    {
        if (entry.Index == _committed.Count + 1)
        {
            _committed.Add(entry);
        }

        Assert.True(entry.Index <= _committed.Count, $"{peer} applied {entry.Index} after {_committed.Count}");
        Entry first = _committed[(int)entry.Index - 1];
        Assert.True(
            first.Term == entry.Term && first.Data.Span.SequenceEqual(entry.Data.Span),
            $"{peer} applied {entry.Term}/{entry.Index}, another peer {first.Term}/{first.Index}");
    }

    /// <summary>Log Matching: two logs with the same term at an index hold the same up to it.</summary>
    public static void CheckLogMatching(IReadOnlyList<RandomPeer> peers)
    {
        foreach (RandomPeer one in peers)
        {
            foreach (RandomPeer other in peers.Where(p => p.Id > one.Id))
            {
                CheckLogMatching(one.Storage, other.Storage, $"{one} and {other}");
            }
        }
    }

    private static void CheckLogMatching(MemoryStorage one, MemoryStorage other, string which)
    {
        bool mustMatch = false;
        long first = Math.Max(one.FirstIndex, other.FirstIndex);
        for (long index = Math.Min(one.LastIndex, other.LastIndex); index >= first; index--)
        {
            Entry a = one.Entries(index, index + 1, long.MaxValue)[0];
            Entry b = other.Entries(index, index + 1, long.MaxValue)[0];
            mustMatch |= a.Term == b.Term;
            Assert.True(
                !mustMatch || (a.Term == b.Term && a.Data.Span.SequenceEqual(b.Data.Span)),
                $"{which} match later but differ at {index}");
        }
    }

    /// <summary>Leader Completeness: a leader holds everything committed before it was elected.</summary>
    private void CheckLeaderCompleteness(RandomPeer leader)
    {
        Assert.True(
            leader.Raft.LastIndex >= _committed.Count,
            $"{leader} leads without the committed entry {_committed.Count}");
        for (long index = leader.Storage.FirstIndex; index <= Math.Min(_committed.Count, leader.Storage.LastIndex); index++)
        {
            Assert.True(
                leader.Storage.TermAt(index) == _committed[(int)index - 1].Term,
                $"{leader} leads with another entry at {index}");
        }
    }
}
