using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains;

/// <summary>What a peer's loop begins with.</summary>
/// <param name="Loaded">By an activation that has committed (rule 2).</param>
/// <param name="Evidence">What it is to be compared with; read before the activation.</param>
/// <param name="Witness">Where the next evidence goes; null: nowhere.</param>
internal sealed record ActivatedPeer(LoadedPeer Loaded, StorageEvidence Evidence, IWitness? Witness);
