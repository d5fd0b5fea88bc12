namespace Coordinator.Raft;

public sealed class MemoryStorage : IRaftStorage
{
    public MemoryStorage() => throw new NotImplementedException();
    public static MemoryStorage Load(HardState hardState, ConfState confState, Snapshot snapshot, ReadOnlySpan<Entry> entries) => throw new NotImplementedException();
    public long FirstIndex => throw new NotImplementedException();
    public long LastIndex => throw new NotImplementedException();
    public (HardState HardState, ConfState ConfState) InitialState() => throw new NotImplementedException();
    public EntrySlice Entries(long lo, long hi, long maxBytes) => throw new NotImplementedException();
    public Term? TermAt(long index) => throw new NotImplementedException();
    public Snapshot? Snapshot() => throw new NotImplementedException();
    public void SetHardState(HardState hardState) => throw new NotImplementedException();
    public void Append(ReadOnlySpan<Entry> entries) => throw new NotImplementedException();
    public bool ApplySnapshot(Snapshot snapshot) => throw new NotImplementedException();
    public Snapshot CreateSnapshot(long index, ConfState confState, ReadOnlyMemory<byte> data) => throw new NotImplementedException();
    public void Compact(long throughIndex) => throw new NotImplementedException();
}
