using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>What came of an activation or re-activation (rules 2 and 4).</summary>
public abstract record ActivationResult
{
    private ActivationResult()
    {
    }

    /// <summary>
    /// The epoch is this activation's and committed; all state was loaded after that, in one consistent read.
    /// </summary>
    public sealed record Activated(LoadedPeer Peer) : ActivationResult;

    /// <summary>No row: a lost peer; it comes back only under a new peer id (rule 1).</summary>
    public sealed record Missing : ActivationResult;

    /// <summary>Another activation owns the peer: this one stops for good.</summary>
    /// <param name="Epoch">The other's, as last read.</param>
    public sealed record Superseded(long Epoch) : ActivationResult;

    /// <summary>The row is older than what it had acknowledged: the database went back in time. Quarantine.</summary>
    public sealed record WentBack(string Detail) : ActivationResult;

    /// <summary>A row fails its checksum, is absent from a sequence, or contradicts another.</summary>
    /// <param name="Row">Table, key and index, and what is wrong with it.</param>
    public sealed record Corrupt(string Row) : ActivationResult;

    /// <summary>The database could not be asked, or is refused for its settings. Worth trying again.</summary>
    public sealed record Unavailable(Exception Reason) : ActivationResult;
}
