namespace Coordinator.Simulation.Invariants;

internal enum LockEventKind
{
    Granted,
    Queued,

    /// <summary>A wait ended without a grant, or a try was refused.</summary>
    NotGranted,
    Released,
}

/// <summary>What an entry did to one lock, read from its results alone.</summary>
/// <param name="WaitIndex">The index of the acquire.</param>
internal readonly record struct LockEvent(
    LockEventKind Kind, string Name, long SessionId, long RequestId, long WaitIndex, long Token = 0, long Floor = 0);
