using System.Buffers;
using Coordinator.Grains.Backup;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Tests.Contracts;
using Coordinator.Tests.State;

namespace Coordinator.Tests.Backup;

/// <summary>States as they are saved, and their files' bytes.</summary>
internal static class SavedStates
{
    public static SavedState Of(CoordinationState state)
    {
        var bytes = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(bytes);
        return new SavedState(
            state.Membership.ClusterId, state.Membership.Group, state.AppliedIndex, state.AppliedTerm, state.Revision,
            state.LogTimeUs, state.FeatureLevel, bytes.WrittenMemory);
    }

    /// <summary>A group with a key, a session and a lock.</summary>
    public static SavedState Small()
    {
        var group = new Group(CoordinationState.Create(
            StateSettings.Default, Group.Membership(), 1000, new Term(3), baseRevision: 500));
        long session = group.Create(stamp: 2_000_000);
        group.Put("colour", "blue");
        group.Acquire(session, "lock");
        return Of(group.State);
    }

    /// <summary>Of one of several groups, with one key.</summary>
    /// <param name="isHeld">Somebody holds a lock, for ten seconds after the last sign of life.</param>
    public static SnapshotFile FileOf(int group, Guid cluster, string key, string value = "blue", bool isHeld = false)
    {
        var made = new Group(CoordinationState.Create(
            StateSettings.Default, Group.Membership() with { ClusterId = cluster, Group = group }, 1000, new Term(3),
            baseRevision: 500 + group));
        made.Put(key, value);
        if (isHeld)
            made.Acquire(made.Create(), "lock");
        return SnapshotFile.Parse(FileOf(Of(made.State)));
    }

    /// <summary>A key that belongs to the group in a cluster of so many.</summary>
    public static string KeyOf(int group, int groups) => GroupNames.In(group, groups) + "/colour";

    public static byte[] FileOf(SavedState state) => [.. SnapshotFile.PiecesOf(state).SelectMany(piece => piece.ToArray())];
}
