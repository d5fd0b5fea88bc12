using Coordinator.Contracts;

namespace Coordinator.Client.Connection;

internal enum LoopInputKind
{
    Submit,
    Cancel,
    Taken,
    Connected,
    Disconnected,
    Frames,
    GuardTripped,
    Tick,
    Shutdown,
}

/// <summary>One thing that happened, for the loop. Which fields count follows from the kind.</summary>
internal readonly record struct LoopInput(
    LoopInputKind Kind, PendingCall? Call = null, SocketLink? Link = null, List<ServerFrame>? Frames = null,
    string Reason = "", LifeGuard? Guard = null, int Items = 0, long Bytes = 0);
