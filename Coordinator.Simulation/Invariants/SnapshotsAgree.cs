using System.Buffers;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Snapshots of one index have the same bytes on every replica, and hold the whole state: whoever reads one writes it again.
/// </summary>
internal sealed class SnapshotsAgree : Invariant
{
    private readonly Dictionary<long, (PeerProcess By, ReadOnlyMemory<byte> Data)> _first = [];

    protected override string Name => "snapshots agree";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (effects.WriteSnapshot is not { } taken || process.Owner.IsLost)
            return;
        if (_first.TryAdd(taken.Index, (process, taken.Data)))
        {
            var again = new ArrayBufferWriter<byte>(taken.Data.Length);
            CoordinationState.ReadSnapshot(taken.Data).WriteSnapshot(again);
            Require(again.WrittenSpan.SequenceEqual(taken.Data.Span), () => $"the snapshot {taken.Index} of peer {process.Peer} does not hold the whole state");
            return;
        }
        (PeerProcess by, ReadOnlyMemory<byte> data) = _first[taken.Index];
        Require(data.Span.SequenceEqual(taken.Data.Span), () => $"peers {by.Peer} and {process.Peer} have different snapshots {taken.Index}");
    }
}
