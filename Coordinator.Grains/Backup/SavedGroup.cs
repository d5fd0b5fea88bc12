using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Grains.Backup;

/// <summary>
/// A group's snapshot on its way to whoever asked for it, or why there is none. Disposed of, it makes room for the next.
/// </summary>
/// <param name="state">Null: refused.</param>
public sealed class SavedGroup(ErrorCode error, string message, SavedState? state, Action? free = null) : IDisposable
{
    private Action? _free = free;

    public ErrorCode Error { get; } = error;

    public string Message { get; } = message;

    public SavedState? State { get; } = state;

    public void Dispose() => Interlocked.Exchange(ref _free, null)?.Invoke();
}
