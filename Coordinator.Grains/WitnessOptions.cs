using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains;

/// <summary>How a silo keeps watch over the age of its own database (rule 4).</summary>
public sealed record WitnessOptions
{
    /// <summary>Where a file for each peer is kept, apart from the database; null: nowhere.</summary>
    public string? Folder { get; init; }

    /// <summary>An operator vouches for the database as it is now: it is taken as it is, once, whatever others have seen.</summary>
    public bool TrustStorage { get; init; }

    /// <summary>All peers store in one database, so the file alone can tell.</summary>
    internal bool IsShared { get; init; }

    /// <summary>By peer and storage id: in place of files, where all silos reach it; null: in files, or nowhere.</summary>
    internal Func<PeerKey, Guid, IWitness>? Rows { get; init; }

    /// <summary>Null: none is kept.</summary>
    internal IWitness? Of(PeerKey key, Guid storageId) =>
        Rows?.Invoke(key, storageId) ?? (Folder is null ? null : new WitnessFile(Folder, storageId));
}
