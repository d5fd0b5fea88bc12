using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>The epochs of all peers of a database, read on the primary by one SELECT (rule 6).</summary>
public sealed record EpochReading(IReadOnlyDictionary<PeerKey, long> Epochs)
{
    /// <summary>Null: the peer has no row.</summary>
    public long? EpochOf(PeerKey key) => Epochs.TryGetValue(key, out long epoch) ? epoch : null;
}
