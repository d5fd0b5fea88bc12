using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Recovery;

/// <summary>All that is stored of one peer, every checksum verified. Invariant: its log reaches its commit index.</summary>
/// <param name="Source">Where it was read, for a person.</param>
public sealed record Survivor(string Source, Guid ClusterId, LoadedPeer Stored)
{
    public PeerKey Key => Stored.Key;

    /// <summary>
    /// Why this is an older state of the peer than the one that has voted; null: nothing says so. It would not be let vote
    /// again, so it is no part of a quorum. Its log was the peer's once, and may still be the best that is left.
    /// </summary>
    public string? WentBack { get; init; }

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
    string Source, Guid ClusterId, IReadOnlyList<Survivor> Survivors, IReadOnlyList<DamagedPeer> Damaged)
{
    /// <summary>Of its cluster.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>What it holds of one group.</summary>
    public SurvivingDatabase OfGroup(int group) => this with
    {
        Survivors = [.. Survivors.Where(one => one.Key.Group == group)],
        Damaged = [.. Damaged.Where(one => one.Key.Group == group)],
    };

    /// <summary>With what the files beside the silo know of its peers' storage.</summary>
    public SurvivingDatabase ComparedWith(string witnessFolder) => this with
    {
        Survivors = [.. Survivors.Select(one => one with { WentBack = Problem(one, witnessFolder) })],
    };

    private static string? Problem(Survivor survivor, string folder)
    {
        LoadedPeer stored = survivor.Stored;
        try
        {
            return new WitnessFile(folder, stored.StorageId).Read() switch
            {
                { Verdict: { } verdict } => verdict,
                { Mark: var mark } when (mark.Epoch, mark.WriteSeq).CompareTo((stored.Epoch, stored.WriteSeq)) > 0 =>
                    $"write {stored.Epoch}.{stored.WriteSeq} is stored, {mark.Epoch}.{mark.WriteSeq} was",
                _ => null,
            };
        }
        catch (CorruptRowException damaged)
        {
            return damaged.Row;
        }
    }
}

/// <summary>What was given cannot be recovered from; the message says why.</summary>
public sealed class RecoveryException(string message) : Exception(message);
