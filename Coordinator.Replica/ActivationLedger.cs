using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

internal enum Admission
{
    /// <summary>From the activation heard last.</summary>
    Same,

    /// <summary>From a later activation than any heard of before.</summary>
    Newer,

    /// <summary>From an activation that a later one has fenced off.</summary>
    Stale,

    /// <summary>From storage that the replicated membership does not list under this peer id, or from a peer that has
    /// left (rule 1).</summary>
    Foreign,
}

/// <summary>
/// The latest activation heard of each peer (rule 5). Invariant: an epoch in here only grows; what an older activation
/// says no longer counts.
/// </summary>
internal sealed class ActivationLedger
{
    private readonly Dictionary<PeerId, long> _epochs = [];

    public long EpochOf(PeerId peer) => _epochs.GetValueOrDefault(peer);

    public Admission Judge(Envelope envelope, GroupMembership membership)
    {
        PeerRecord? listed = membership.Find(envelope.From);
        // A peer that a later entry adds is unknown here until that entry is applied. An id below the next one that is
        // not listed has left: it may not know, and would ask for votes for ever.
        if (listed is null ? envelope.From < membership.NextPeerId : listed.Value.StorageId != envelope.StorageId)
            return Admission.Foreign;
        long known = EpochOf(envelope.From);
        return envelope.Epoch < known ? Admission.Stale
            : envelope.Epoch == known ? Admission.Same
            : Admission.Newer;
    }

    public void Record(PeerId peer, long epoch) => _epochs[peer] = epoch;
}
