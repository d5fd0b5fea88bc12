using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Recovery;

/// <summary>All that is stored of one peer, every checksum verified. Invariant: its log reaches its commit index.</summary>
/// <param name="Source">Where it was read, for a person.</param>
public sealed record Survivor(string Source, Guid ClusterId, LoadedPeer Stored)
{
    public PeerKey Key => Stored.Key;

    public SnapshotPointer Snapshot => Stored.Snapshot.Pointer;

    /// <summary>What a snapshot holds was committed.</summary>
    public long CommitIndex => Math.Max(Stored.HardState.Commit, Snapshot.Index);

    /// <summary>The oldest entry that is kept; the one after the snapshot if there is none.</summary>
    public long FirstIndex => Stored.Entries.Count > 0 ? Stored.Entries[0].Index : Snapshot.Index + 1;

    public long LastIndex => Stored.Entries.Count > 0 ? Stored.Entries[^1].Index : Snapshot.Index;

    public Term LastTerm => Stored.Entries.Count > 0 ? Stored.Entries[^1].Term : Snapshot.Term;

    /// <summary>Null: it has no entry there.</summary>
    public Term? TermAt(long index)
    {
        if (index == Snapshot.Index)
            return Snapshot.Term;
        long place = index - FirstIndex;
        return place >= 0 && place < Stored.Entries.Count ? Stored.Entries[(int)place].Term : null;
    }
}

/// <summary>A peer of which something is stored that cannot be trusted.</summary>
/// <param name="Why">Which row, and what is wrong with it.</param>
public sealed record DamagedPeer(string Source, PeerKey Key, string Why);

/// <summary>What one database holds.</summary>
public sealed record SurvivingDatabase(
    string Source, Guid ClusterId, IReadOnlyList<Survivor> Survivors, IReadOnlyList<DamagedPeer> Damaged);

/// <summary>What was given cannot be recovered from; the message says why.</summary>
public sealed class RecoveryException(string message) : Exception(message);
