using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>
/// One peer of a <see cref="RandomCluster"/>, with asynchronous storage work that a crash cuts off anywhere. What is in
/// its storage survives; its state machine is the list of what it applied, and snapshots carry that list.
/// </summary>
internal sealed class RandomPeer
{
    private readonly Func<RaftOptions, RaftOptions> _configure;
    private readonly ClusterInvariants _invariants;
    private readonly Queue<Message> _work = [];
    private ConfState _members = new();
    private RawNode? _raft;

    public RandomPeer(
        PeerId id, ConfState members, ClusterInvariants invariants, Func<RaftOptions, RaftOptions> configure)
    {
        Id = id;
        _invariants = invariants;
        _configure = configure;
        Storage.ApplySnapshot(new Snapshot(0, Term.Zero, members, default));
        Start();
    }

    public PeerId Id { get; }

    public MemoryStorage Storage { get; } = new();

    public RawNode Raft => _raft ?? throw new InvalidOperationException($"{Id} is down");

    public bool IsUp => _raft is not null;

    public bool HasStorageWork => _work.Count > 0;

    public long AppliedIndex { get; private set; }

    public void Start()
    {
        Snapshot snapshot = Storage.Snapshot()!;
        AppliedIndex = snapshot.Index;
        _members = snapshot.ConfState;
        _raft = new RawNode(_configure(new RaftOptions
        {
            Id = Id,
            Storage = Storage,
            Applied = AppliedIndex,
            AsyncStorageWrites = true,
            StepDownOnRemoval = true,
        }));
    }

    public void Crash()
    {
        _raft = null;
        _work.Clear();
        _invariants.Forget(this);
    }

    /// <summary>Hands out work; returns what may be sent before the write.</summary>
    public IReadOnlyList<Message> TakeReady()
    {
        if (!Raft.HasReady)
        {
            return [];
        }

        Ready ready = Raft.Ready();
        List<Message> now = [];
        List<Message> afterWrite = [];
        bool writes = ready.Messages.Any(m => m.Type == MessageType.StorageAppend);
        foreach (Message message in ready.Messages)
        {
            if (message.To.IsLocalThread)
            {
                continue;
            }

            // A vote request names the own log and term: it must not outlive them.
            (message.Type == MessageType.Vote && writes ? afterWrite : now).Add(message);
        }

        foreach (Message message in ready.Messages.Where(m => m.To.IsLocalThread))
        {
            _work.Enqueue(message.Type == MessageType.StorageAppend
                ? message with { Responses = [.. message.Responses, .. afterWrite] }
                : message);
        }

        return now;
    }

    /// <summary>Does one piece of storage work; returns what may be sent after it.</summary>
    public IReadOnlyList<Message> DoStorageWork()
    {
        if (!_work.TryDequeue(out Message? work))
        {
            return [];
        }

        if (work.Type == MessageType.StorageAppend)
        {
            Write(work);
        }
        else
        {
            Apply(work.Entries);
        }

        List<Message> sent = [];
        foreach (Message response in work.Responses)
        {
            if (response.To == Id)
            {
                Raft.Step(response);
                _invariants.Observe(this);
            }
            else
            {
                sent.Add(response);
            }
        }

        return sent;
    }

    /// <summary>Snapshots what is applied and drops the log up to a few entries before.</summary>
    public void Compact(int tail)
    {
        // A snapshot rests on durable entries alone.
        long index = Math.Min(AppliedIndex, Storage.LastIndex);
        if (index == AppliedIndex && index > Storage.Snapshot()!.Index && Storage.TermAt(index) is not null)
        {
            Storage.CreateSnapshot(index, _members, default);
            Storage.Compact(index - tail);
        }
    }

    public override string ToString() => IsUp
        ? $"{Id}: {Raft.State} term {Raft.Term} commit {Raft.CommitIndex} applied {AppliedIndex} last {Raft.LastIndex} "
            + $"{Raft.Configuration}"
        : $"{Id}: down";

    private void Write(Message work)
    {
        if (!work.HardState.IsEmpty)
        {
            Storage.SetHardState(work.HardState);
        }

        if (work.Snapshot is { } snapshot && Storage.ApplySnapshot(snapshot))
        {
            AppliedIndex = snapshot.Index;
            _members = snapshot.ConfState;
        }

        Storage.Append(work.Entries);
    }

    private void Apply(EntrySlice entries)
    {
        foreach (Entry entry in entries)
        {
            Assert.Equal(AppliedIndex + 1, entry.Index);
            AppliedIndex = entry.Index;
            _invariants.Applied(this, entry);
            if (entry.Type != EntryType.Normal)
            {
                Assert.True(entry.Index <= Storage.LastIndex, "a membership change took effect before it was durable");
                _members = Raft.ApplyConfChange(ConfChangeV2.Decode(entry.Data));
            }
        }
    }
}
