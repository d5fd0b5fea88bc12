using Coordinator.Client.Machine;

namespace Coordinator.Client.Connection;

/// <summary>A caller that waits for its request's completion; continuations never run on the client's loop.</summary>
internal sealed class PendingCall(Operation operation)
    : TaskCompletionSource<Completion>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public Operation Operation { get; } = operation;
}
