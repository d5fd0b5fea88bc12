namespace Coordinator.Raft;

/// <summary>How a leader makes sure that it still leads before it answers a ReadIndex request.</summary>
public enum ReadOnlyOption : byte
{
    /// <summary>It asks a quorum.</summary>
    Safe,

    /// <summary>
    /// It trusts its lease: no round trip, but stale where clocks drift or pause. Needs
    /// <see cref="RaftOptions.CheckQuorum"/>.
    /// </summary>
    LeaseBased,
}
