using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>One peer of a <see cref="RaftGroup"/>: writes and applies at once whatever it is handed.</summary>
internal sealed class GroupPeer
{
    private readonly Func<RaftOptions, RaftOptions> _configure;

    public GroupPeer(PeerId id, MemoryStorage storage, Func<RaftOptions, RaftOptions> configure)
    {
        Storage = storage;
        _configure = configure;
        Id = id;
        Raft = Start(applied: 0);
    }

    public PeerId Id { get; }

    public MemoryStorage Storage { get; }

    public RawNode Raft { get; private set; }

    /// <summary>What was applied, in order.</summary>
    public List<Entry> Applied { get; } = [];

    public List<ReadState> Reads { get; } = [];

    public ConfState Members { get; private set; } = new();

    /// <summary>The payloads applied, as text, without the empty entries of new leaders.</summary>
    public string AppliedText => string.Join(' ', Applied.Where(e => e.Type == EntryType.Normal && !e.Data.IsEmpty)
        .Select(e => Encoding.UTF8.GetString(e.Data.Span)));

    /// <summary>The terms of all entries in the log, as the figures of the paper write them.</summary>
    public string LogTerms => string.Join(' ', LogEntries().Select(e => e.Term.Value));

    public IEnumerable<Entry> LogEntries()
    {
        EntrySlice entries = Storage.Entries(Storage.FirstIndex, Storage.LastIndex + 1, long.MaxValue);
        return entries;
    }

    /// <summary>Loses everything but its storage.</summary>
    public void Restart()
    {
        Applied.Clear();
        Raft = Start(applied: Storage.FirstIndex - 1);
    }

    public ProposalResult Propose(string text) => Raft.Propose(Encoding.UTF8.GetBytes(text));

    /// <summary>Does the work of one Ready and returns the messages for others.</summary>
    public IReadOnlyList<Message> Work()
    {
        Ready ready = Raft.Ready();
        Write(ready.HardState, ready.Entries, ready.Snapshot);
        Apply(ready.CommittedEntries);
        Reads.AddRange(ready.ReadStates);
        Raft.Advance();
        return ready.Messages;
    }

    public void Write(HardState hardState, EntrySlice entries, Snapshot? snapshot)
    {
        if (!hardState.IsEmpty)
        {
            Storage.SetHardState(hardState);
        }

        if (snapshot is not null)
        {
            Storage.ApplySnapshot(snapshot);
            Members = snapshot.ConfState;
        }

        Storage.Append(entries);
    }

    public void Apply(EntrySlice entries)
    {
        foreach (Entry entry in entries)
        {
            Applied.Add(entry);
            if (entry.Type != EntryType.Normal)
            {
                Members = Raft.ApplyConfChange(ConfChangeV2.Decode(entry.Data));
            }
        }
    }

    public PeerProgress ProgressOf(int peer) =>
        Raft.GetStatus().Progress.Single(p => p.Peer.Value == peer);

    public void Tick(int times)
    {
        for (int i = 0; i < times; i++)
        {
            Raft.Tick();
        }
    }

    private RawNode Start(long applied)
    {
        Members = Storage.InitialState().ConfState;
        return new RawNode(_configure(new RaftOptions
        {
            Id = Id,
            Storage = Storage,
            Applied = applied,
            Seed = 1,
            StepDownOnRemoval = true,
        }));
    }
}
