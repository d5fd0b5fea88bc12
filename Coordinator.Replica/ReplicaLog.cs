using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// What Raft reads of a peer: the mirror of its durable log, and a snapshot that is taken at the moment when one has to be
/// sent. The stored one would do, but would have to stay in memory for it, as long as the state itself; and it may lack a
/// member that has joined since.
/// </summary>
internal sealed class ReplicaLog(MemoryStorage mirror, Func<Snapshot> take) : IRaftStorage
{
    public long FirstIndex => mirror.FirstIndex;

    public long LastIndex => mirror.LastIndex;

    public (HardState HardState, ConfState ConfState) InitialState() => mirror.InitialState();

    public EntrySlice Entries(long lo, long hi, long maxBytes) => mirror.Entries(lo, hi, maxBytes);

    public Term? TermAt(long index) => mirror.TermAt(index);

    public Snapshot? Snapshot() => take();
}
