using Coordinator.Raft;

namespace Coordinator.Tests.Conformance;

/// <summary>
/// One node of a transcript: a peer, its storage, the storage work that waits, and a state machine that strings
/// payloads together and keeps every state it had.
/// </summary>
internal sealed class TranscriptNode : IRaftStorage
{
    private readonly List<Snapshot> _history = [];

    public TranscriptNode(Func<IRaftStorage, RaftOptions> options, Snapshot? bootstrap)
    {
        if (bootstrap is not null)
        {
            Storage.ApplySnapshot(bootstrap);
        }

        _history.Add(bootstrap ?? new Snapshot(0, Term.Zero, new ConfState(), default));
        Options = options(this);
        Raft = new RawNode(Options);
    }

    public MemoryStorage Storage { get; } = new();

    public RaftOptions Options { get; }

    public RawNode Raft { get; }

    public Queue<Message> AppendWork { get; } = [];

    public Queue<Message> ApplyWork { get; } = [];

    public long FirstIndex => Storage.FirstIndex;

    public long LastIndex => Storage.LastIndex;

    public (HardState HardState, ConfState ConfState) InitialState() => Storage.InitialState();

    public EntrySlice Entries(long lo, long hi, long maxBytes) => Storage.Entries(lo, hi, maxBytes);

    public Term? TermAt(long index) => Storage.TermAt(index);

    /// <summary>The latest state, whatever the storage holds.</summary>
    public Snapshot? Snapshot() => _history[^1].Index == 0 ? null : _history[^1];

    public void Write(HardState hardState, EntrySlice entries, Snapshot? snapshot)
    {
        if (!hardState.IsEmpty)
        {
            Storage.SetHardState(hardState);
        }

        if (snapshot is not null)
        {
            Assert.True(entries.IsEmpty, "a snapshot and entries in one write");
            Storage.ApplySnapshot(snapshot);
        }

        Storage.Append(entries);
    }

    public void Apply(EntrySlice entries)
    {
        foreach (Entry entry in entries)
        {
            ConfState members = _history[^1].ConfState;
            ReadOnlyMemory<byte> update = entry.Data;
            if (entry.Type != EntryType.Normal)
            {
                ConfChangeV2 change = ConfChangeV2.Decode(entry.Data);
                members = Raft.ApplyConfChange(change);
                update = change.Context;
            }

            byte[] state = [.. _history[^1].Data.Span, .. update.Span];
            _history.Add(new Snapshot(entry.Index, entry.Term, members, state));
        }
    }
}
