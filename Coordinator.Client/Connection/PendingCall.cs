using Coordinator.Client.Machine;

namespace Coordinator.Client.Connection;

/// <summary>A caller that waits for its request's completion; continuations never run on the client's loop.</summary>
internal class PendingCall(Operation operation)
{
    private readonly TaskCompletionSource<Completion> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClientLoop? _passedOnTo;

    public Operation Operation { get; } = operation;

    /// <summary>Where it is answered, once it was passed on to another group's; null: where it was submitted.</summary>
    public ClientLoop? PassedOnTo
    {
        get => Volatile.Read(ref _passedOnTo);
        set => Volatile.Write(ref _passedOnTo, value);
    }

    public Task<Completion> Task => _end.Task;

    public virtual void End(Completion completion) => _end.TrySetResult(completion);

    public virtual void Fail(Exception fault) => _end.TrySetException(fault);
}
