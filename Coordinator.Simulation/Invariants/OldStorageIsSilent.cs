using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A peer whose database went back in time under it says nothing but what it has seen of others, and asks them what they
/// have seen of it: no vote, no acknowledgement, no entry (rule 4).
/// </summary>
internal sealed class OldStorageIsSilent : Invariant
{
    protected override string Name => "old storage is silent";

    public override void Sending(PeerProcess process, Envelope envelope) => Require(
        !process.Owner.IsOld || envelope.Message.Type is MessageType.StorageQuestion or MessageType.StorageAnswer,
        () => $"peer {envelope.From}.{envelope.Epoch} sends {envelope.Message.Type} to {envelope.To} from a database that went back in time");
}
