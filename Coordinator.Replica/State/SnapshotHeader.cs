using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>The first part of a snapshot: format, feature level, limits, position in the log, membership.</summary>
internal static class SnapshotHeader
{
    /// <summary>"CRDS" in the order of the bytes.</summary>
    private const int Magic = 0x53445243;

    private const int FormatVersion = 1;

    public static void Write(CoordinationState state, SnapshotWriter writer)
    {
        writer.Int32(Magic);
        writer.Int32(FormatVersion);
        writer.Int32(state.FeatureLevel);
        writer.Int32(state.Settings.WaitersPerResource);
        writer.Int32(state.Settings.HoldingsPerSession);
        writer.Int32(state.Settings.OpenRequestsPerSession);
        writer.Int32(state.Settings.SessionsMax);
        writer.Int32(state.Settings.KeysPerSession);
        writer.Int32(state.Settings.KeysPerRevision);
        writer.Int32(state.Settings.HistoryRevisions);
        writer.Int64(state.Settings.HistoryAgeUs);
        writer.Int64(state.Settings.HistoryBytes);
        writer.Int32(state.Settings.LeasesMax);
        writer.Int32(state.Settings.ReentriesPerHolding);
        writer.Int32(state.Settings.ForcedReleasesKept);
        writer.Int64(state.AppliedIndex);
        writer.Int64(state.AppliedTerm.Value);
        writer.Int64(state.LogTimeUs);
        writer.Int64((long)state.Hash);
        writer.Int64(state.Config.History.CompactedRevision);
        writer.Int64(state.Config.Revision);
        // Programs that don't know it don't know the level either, and say so (rule 25).
        if (state.FeatureLevel >= FeatureLevels.GrantsHeldBack)
            writer.Int64(state.Holdings.HeldBackUntilUs);
        WriteMembership(state.Membership, writer);
    }

    /// <summary>An empty state at the snapshot's position.</summary>
    public static CoordinationState Read(SnapshotReader reader)
    {
        int level = ReadFeatureLevel(reader);
        reader.Require(level <= FeatureLevels.Known, $"feature level {level} is unknown to this program.");
        StateSettings settings = ReadSettings(reader);
        var origin = new StateOrigin
        {
            Index = reader.Int64("the applied index", 0, long.MaxValue),
            Term = new Term(reader.Int64("the applied term", 0, long.MaxValue)),
            LogTimeUs = reader.Int64("the log time", 0, long.MaxValue),
            Hash = (ulong)reader.Int64("the hash"),
            CompactedRevision = reader.Int64("the compacted revision", 0, long.MaxValue),
            Revision = reader.Int64("the revision", 0, long.MaxValue),
            FeatureLevel = level,
        };
        reader.Require(origin.CompactedRevision <= origin.Revision, "the compacted revision is above the revision.");
        long heldBackUntilUs = level >= FeatureLevels.GrantsHeldBack
            ? reader.Int64("until when grants are held back", 0, long.MaxValue)
            : 0;
        reader.Require(
            heldBackUntilUs == 0 || heldBackUntilUs > origin.LogTimeUs, "grants are held back until a time that has passed.");
        GroupMembership membership = ReadMembership(reader);
        try
        {
            var state = new CoordinationState(settings, membership, origin);
            reader.Require(state.Membership.Equals(membership), "the membership is not in its one form.");
            if (heldBackUntilUs != 0)
                state.Holdings.HoldBack(heldBackUntilUs);
            return state;
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"The snapshot's membership is wrong: {e.Message}", e);
        }
    }

    public static int ReadFeatureLevel(SnapshotReader reader)
    {
        reader.Require(reader.Int32("the magic number") == Magic, "it is no snapshot of a group.");
        int version = reader.Int32("the format version");
        reader.Require(version == FormatVersion, $"format version {version} is unknown to this program.");
        int level = reader.Int32("the feature level");
        reader.Require(level >= FeatureLevels.First, $"{level} is no feature level.");
        return level;
    }

    private static StateSettings ReadSettings(SnapshotReader reader)
    {
        var settings = new StateSettings
        {
            WaitersPerResource = reader.Int32("WaitersPerResource"),
            HoldingsPerSession = reader.Int32("HoldingsPerSession"),
            OpenRequestsPerSession = reader.Int32("OpenRequestsPerSession"),
            SessionsMax = reader.Int32("SessionsMax"),
            KeysPerSession = reader.Int32("KeysPerSession"),
            KeysPerRevision = reader.Int32("KeysPerRevision"),
            HistoryRevisions = reader.Int32("HistoryRevisions"),
            HistoryAgeUs = reader.Int64("HistoryAgeUs"),
            HistoryBytes = reader.Int64("HistoryBytes"),
            LeasesMax = reader.Int32("LeasesMax"),
            ReentriesPerHolding = reader.Int32("ReentriesPerHolding"),
            ForcedReleasesKept = reader.Int32("ForcedReleasesKept"),
        };
        if (settings.Problem() is { } problem)
            reader.Fail($"the limit {problem} is below 1.");
        return settings;
    }

    private static void WriteMembership(GroupMembership membership, SnapshotWriter writer)
    {
        writer.Guid(membership.ClusterId);
        writer.Int32(membership.Group);
        writer.Int64(membership.NextPeerId.Value);
        writer.Int32(membership.Peers.Count);
        foreach (PeerRecord peer in membership.Peers)
        {
            writer.Int64(peer.Id.Value);
            writer.Guid(peer.StorageId);
            writer.Text(peer.Silo);
        }
        foreach (IReadOnlyList<PeerId> list in Memberships.Lists(membership.ConfState))
        {
            writer.Int32(list.Count);
            foreach (PeerId id in list)
                writer.Int64(id.Value);
        }
        writer.Flag(membership.ConfState.AutoLeave);
    }

    private static GroupMembership ReadMembership(SnapshotReader reader)
    {
        Guid clusterId = reader.Guid("the cluster id");
        int group = reader.Int32("the group");
        var next = new PeerId(reader.Int64("the next peer id", 1, long.MaxValue));
        var peers = new List<PeerRecord>();
        int count = reader.Count("the number of peers", int.MaxValue);
        for (int i = 0; i < count; i++)
            peers.Add(new PeerRecord(ReadPeerId(reader), reader.Guid("a storage id"), reader.Text("a silo")));
        var confState = new ConfState
        {
            Voters = ReadPeerIds(reader),
            Learners = ReadPeerIds(reader),
            VotersOutgoing = ReadPeerIds(reader),
            LearnersNext = ReadPeerIds(reader),
            AutoLeave = reader.Flag("auto-leave"),
        };
        return new GroupMembership
        {
            ClusterId = clusterId,
            Group = group,
            NextPeerId = next,
            Peers = peers,
            ConfState = confState,
        };
    }

    private static List<PeerId> ReadPeerIds(SnapshotReader reader)
    {
        var ids = new List<PeerId>();
        int count = reader.Count("a number of peer ids", int.MaxValue);
        for (int i = 0; i < count; i++)
            ids.Add(ReadPeerId(reader));
        return ids;
    }

    // Below the highest number: the next peer id is above each.
    private static PeerId ReadPeerId(SnapshotReader reader) => new(reader.Int64("a peer id", 1, long.MaxValue - 1));
}
