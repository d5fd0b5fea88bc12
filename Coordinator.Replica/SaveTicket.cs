using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

/// <summary>
/// A linearizable snapshot of the group that somebody waits for, to keep it. Completed exactly once, through
/// <see cref="ReplicaEffects.Saved"/>.
/// </summary>
public class SaveTicket : ReadTicket;

/// <summary>What became of it.</summary>
/// <param name="State">Null: refused.</param>
public readonly record struct SaveOutcome(ErrorCode Error, string Message, SavedState? State);

/// <summary>The group as it was at one index.</summary>
/// <param name="Bytes">As <see cref="CoordinationState.WriteSnapshot"/> writes them; nobody else's.</param>
public sealed record SavedState(
    Guid ClusterId, int Group, long Index, Term Term, long Revision, long LogTimeUs, int FeatureLevel,
    ReadOnlyMemory<byte> Bytes)
{
    public static SavedState Of(CoordinationState state, ReadOnlyMemory<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new SavedState(
            state.Membership.ClusterId, state.Membership.Group, state.AppliedIndex, state.AppliedTerm, state.Revision,
            state.LogTimeUs, state.FeatureLevel, bytes);
    }
}
