using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>
/// The replicated state of one group: a pure function of the snapshot it began with and the entries applied since.
/// Invariant: replicas that applied the same entries answer the same and have the same snapshot bytes.
/// </summary>
public sealed class CoordinationState
{
    /// <summary>The state at a bootstrap snapshot.</summary>
    /// <param name="baseRevision">The revision to go on from; not 0 in a group that was rebuilt (rule 19).</param>
    public static CoordinationState Create(
        StateSettings settings, GroupMembership membership, long index, Term term, long baseRevision = 0) =>
        throw new NotImplementedException();

    public long AppliedIndex => throw new NotImplementedException();

    public Term AppliedTerm => throw new NotImplementedException();

    /// <summary>The group's own clock, microseconds (rule 10).</summary>
    public long LogTimeUs => throw new NotImplementedException();

    /// <summary>The number of the last configuration change.</summary>
    public long Revision => throw new NotImplementedException();

    /// <summary>What apply may do; the same on every replica (rule 25).</summary>
    public int FeatureLevel => throw new NotImplementedException();

    public GroupMembership Membership => throw new NotImplementedException();

    public StateSettings Settings => throw new NotImplementedException();

    public int SessionCount => throw new NotImplementedException();

    /// <summary>
    /// The earliest log time at which a session or a bounded wait ends; <see cref="long.MaxValue"/>: none will.
    /// </summary>
    public long NextDueUs => throw new NotImplementedException();

    /// <summary>
    /// A hash over all applied entries and what came of them, carried on by snapshots: equal on replicas that applied
    /// the same log to the same end (rule 9). Costs nothing to read.
    /// </summary>
    public ulong Hash => throw new NotImplementedException();

    /// <summary>Applies the entry after <see cref="AppliedIndex"/>.</summary>
    /// <param name="stampUs">The entry's stamp; 0: none, nothing becomes due.</param>
    /// <param name="command">Null: an empty entry, or one that changes the membership.</param>
    /// <param name="effects">What happened to others is added at its end.</param>
    /// <exception cref="InvalidOperationException">The entry does not follow the last one.</exception>
    public ApplyResult Apply(long index, Term term, long stampUs, Command? command, ApplyEffects effects) =>
        throw new NotImplementedException();

    /// <summary>Takes over the membership that the entry just applied has made.</summary>
    public void SetConfState(ConfState confState) => throw new NotImplementedException();

    public bool HasSession(long sessionId) => throw new NotImplementedException();

    public bool TryGetSessionTtl(long sessionId, out long ttlUs) => throw new NotImplementedException();

    /// <summary>
    /// Whether <paramref name="command"/> repeats a request whose result is stored or whose wait lasts: then applying
    /// it once more would give <paramref name="result"/> and change nothing (rule 14).
    /// </summary>
    public bool TryGetStoredResult(Command command, out ApplyResult result) => throw new NotImplementedException();

    /// <summary>Answers from this replica's state as it is now.</summary>
    public QueryAnswer Query(Query query) => throw new NotImplementedException();

    public void WriteSnapshot(IBufferWriter<byte> output) => throw new NotImplementedException();

    /// <exception cref="InvalidDataException">The bytes are no snapshot; the message names what is wrong.</exception>
    public static CoordinationState ReadSnapshot(ReadOnlyMemory<byte> data) => throw new NotImplementedException();

    /// <summary>A hash of the snapshot's bytes: costs as much as writing one.</summary>
    public ulong ComputeStateHash() => throw new NotImplementedException();
}
