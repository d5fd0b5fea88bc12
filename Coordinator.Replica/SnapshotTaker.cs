using System.Buffers;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

/// <summary>
/// Takes snapshots, each in one array hardly longer than they are: it starts a little over the length of the one before.
/// </summary>
internal sealed class SnapshotTaker
{
    private const int StartBytes = 64 * 1024;

    private long _lastBytes;

    public Snapshot Take(CoordinationState state)
    {
        var bytes = new ArrayBufferWriter<byte>(
            (int)Math.Min(Array.MaxLength, _lastBytes + (_lastBytes / 8) + StartBytes));
        state.WriteSnapshot(bytes);
        _lastBytes = bytes.WrittenCount;
        return new Snapshot(state.AppliedIndex, state.AppliedTerm, state.Membership.ConfState, bytes.WrittenMemory);
    }
}
