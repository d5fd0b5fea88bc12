using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>
/// The replicated state of one group: a pure function of the snapshot it began with and the entries applied since.
/// Invariant: replicas that applied the same entries answer the same and have the same snapshot bytes.
/// </summary>
public sealed partial class CoordinationState
{
    private readonly DueHeap _due = new();
    private readonly SeededBug _planted = SeededBugs.Planted;
    private StateHash _hash;

    internal CoordinationState(StateSettings settings, GroupMembership membership, StateOrigin origin)
    {
        if (settings.Problem() is { } problem)
            throw new ArgumentException($"The limit {problem} must be at least 1.", nameof(settings));
        Settings = settings;
        Membership = Memberships.Canonical(membership);
        AppliedIndex = origin.Index;
        AppliedTerm = origin.Term;
        LogTimeUs = origin.LogTimeUs;
        FeatureLevel = origin.FeatureLevel;
        _hash = new StateHash(origin.Hash);
        Sessions = new SessionTable(settings, _due);
        Holdings = new HoldingTable(settings, _due);
        ForcedReleases = new AuditTrail(settings.ForcedReleasesKept);
        Config = new ConfigStore(settings, origin.CompactedRevision, origin.Revision);
        ConfigCommands = new ConfigCommands(Config);
    }

    /// <summary>The state at a bootstrap snapshot.</summary>
    /// <param name="baseRevision">The revision to go on from; not 0 in a group that was rebuilt (rule 19).</param>
    /// <param name="featureLevel">All programs of the group have to support it (rule 25).</param>
    public static CoordinationState Create(
        StateSettings settings, GroupMembership membership, long index, Term term, long baseRevision = 0,
        int featureLevel = FeatureLevels.Known)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(featureLevel, FeatureLevels.First);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfNegative(term.Value);
        ArgumentOutOfRangeException.ThrowIfNegative(baseRevision);
        return new CoordinationState(settings, membership, new StateOrigin
        {
            Index = index,
            Term = term,
            CompactedRevision = baseRevision,
            Revision = baseRevision,
            FeatureLevel = featureLevel,
        });
    }

    /// <summary>What a peer has that was just made for a group: it hears all else, the level too, from the others.</summary>
    public static CoordinationState CreateBlank(Guid clusterId, int group, long index = 0, Term term = default) => Create(
        StateSettings.Default,
        new GroupMembership
        {
            ClusterId = clusterId,
            Group = group,
            ConfState = new ConfState(),
            Peers = [],
            NextPeerId = new PeerId(1),
        },
        index,
        term,
        featureLevel: FeatureLevels.First);

    public long AppliedIndex { get; private set; }

    public Term AppliedTerm { get; private set; }

    /// <summary>The group's own clock, microseconds (rule 10).</summary>
    public long LogTimeUs { get; private set; }

    /// <summary>The number of the last configuration change.</summary>
    public long Revision => Config.Revision;

    /// <summary>What apply may do; the same on every replica (rule 25).</summary>
    public int FeatureLevel { get; private set; }

    public GroupMembership Membership { get; private set; }

    public StateSettings Settings { get; }

    public int SessionCount => Sessions.Count;

    /// <summary>
    /// The earliest log time at which a session, a bounded wait, a maximum hold, a lease, a lock delay or the holding
    /// back of grants ends; <see cref="long.MaxValue"/>: none will.
    /// </summary>
    public long NextDueUs => _due.NextDueUs;

    /// <summary>
    /// A hash over all applied entries and what came of them, carried on by snapshots: equal on replicas that applied
    /// the same log to the same end (rule 9). Costs nothing to read.
    /// </summary>
    public ulong Hash => _hash.Value;

    /// <summary>How much the clock has to watch: sessions, waits, holdings, delays, each once.</summary>
    internal int DueCount => _due.Count;

    internal SessionTable Sessions { get; }

    internal HoldingTable Holdings { get; }

    internal AuditTrail ForcedReleases { get; }

    internal ConfigStore Config { get; }

    private ConfigCommands ConfigCommands { get; }

    public bool HasSession(long sessionId) => Sessions.Find(sessionId) is not null;

    public bool TryGetSessionTtl(long sessionId, out long ttlUs)
    {
        ttlUs = Sessions.Find(sessionId)?.TtlUs ?? 0;
        return ttlUs != 0;
    }

    /// <inheritdoc cref="ConfigEventPage.Read"/>
    internal ConfigEventPage ReadEvents(
        string key, bool isPrefix, long fromRevision, int bytesMax, bool withPrevious = false) =>
        ConfigEventPage.Read(Config, key, isPrefix, fromRevision, bytesMax, withPrevious);

    /// <summary>Answers from this replica's state as it is now. A refusal is an answer with an error code.</summary>
    public QueryAnswer Query(Query query) => StateQueries.Answer(this, query);

    /// <summary>The same bytes on every replica that applied the same entries.</summary>
    public void WriteSnapshot(IBufferWriter<byte> output) => StateSnapshot.Write(this, new SnapshotWriter(output));

    /// <exception cref="InvalidDataException">The bytes are no snapshot; the message names what is wrong.</exception>
    public static CoordinationState ReadSnapshot(ReadOnlyMemory<byte> data) =>
        StateSnapshot.Read(SnapshotReader.Open(data));

    /// <summary>The membership alone: what comes after it is not read.</summary>
    /// <exception cref="InvalidDataException">The bytes are no snapshot; the message names what is wrong.</exception>
    public static GroupMembership ReadMembership(ReadOnlyMemory<byte> data) =>
        SnapshotHeader.Read(SnapshotReader.Open(data)).Membership;

    /// <summary>
    /// The feature level alone: of a later one nothing else can be read.
    /// </summary>
    /// <exception cref="InvalidDataException">The bytes are no snapshot; the message names what is wrong.</exception>
    public static int ReadFeatureLevel(ReadOnlyMemory<byte> data) =>
        SnapshotHeader.ReadFeatureLevel(SnapshotReader.Open(data));

    /// <summary>
    /// A hash of all that the state holds, <see cref="Hash"/> included (rule 9): unlike that alone it notices contents
    /// that no entry has made. Costs a walk over sessions and locks; the configuration's part is kept up to date.
    /// </summary>
    public ulong ContentsHash()
    {
        var writer = new SnapshotWriter(output: null);
        StateSnapshot.WriteUpToConfig(this, writer);
        writer.Int64((long)Config.ContentsHash);
        writer.Finish();
        return writer.Hash;
    }

    /// <summary>A hash of the snapshot's bytes: costs as much as writing one.</summary>
    public ulong ComputeStateHash()
    {
        var writer = new SnapshotWriter(output: null);
        StateSnapshot.Write(this, writer);
        return writer.Hash;
    }
}

/// <summary>Where a state begins: at a group's bootstrap, or at what a snapshot says.</summary>
internal readonly record struct StateOrigin
{
    public required long Index { get; init; }

    public required Term Term { get; init; }

    /// <summary>At first the revision that the group began with: everything up to it is compacted (rule 19).</summary>
    public required long CompactedRevision { get; init; }

    public required long Revision { get; init; }

    public required int FeatureLevel { get; init; }

    public long LogTimeUs { get; init; }

    public ulong Hash { get; init; }
}
