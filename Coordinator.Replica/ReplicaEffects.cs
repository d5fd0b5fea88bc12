using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

/// <summary>
/// What the shell has to do after a turn, in any order but this: nothing of a later turn before what is here.
/// Reused between turns; the shell is done with it before it begins the next turn.
/// </summary>
public sealed class ReplicaEffects
{
    /// <summary>Messages for other peers; losing one is allowed.</summary>
    public List<Envelope> Send { get; } = [];

    /// <summary>A write to begin; its outcome comes back through <see cref="ReplicaMachine.WriteEnded"/>.</summary>
    public PeerWrite? Persist { get; internal set; }

    /// <summary>Read the own row's epoch now, for this activation; back through <see cref="ReplicaMachine.EpochRead"/>
    /// (rule 6). Null: not needed.</summary>
    public long? ReadEpoch { get; internal set; }

    /// <summary>Chunks to write, unfenced; back through <see cref="ReplicaMachine.SnapshotWritten"/>.</summary>
    public SnapshotBytes? WriteSnapshot { get; internal set; }

    /// <summary>Activate again, conditionally (rule 4), retrying while the database is away; back through
    /// <see cref="ReplicaMachine.Reactivated"/> or <see cref="ReplicaMachine.Halt"/>.</summary>
    public ReactivationRequest? Reactivate { get; internal set; }

    /// <summary>To be put on disk beside the silo, in the place of what is there; back through
    /// <see cref="ReplicaMachine.WitnessRecorded"/>. One at a time.</summary>
    public StorageWitness? RecordWitness { get; internal set; }

    /// <summary>This replica's storage was found in this turn to have gone back in time, and why: an alarm.</summary>
    public string? WentBack { get; internal set; }

    /// <summary>The snapshot now in force: chunks of older ones are garbage.</summary>
    public SnapshotPointer? SnapshotInForce { get; internal set; }

    public List<(CommandTicket Ticket, CommandAnswer Answer)> Completed { get; } = [];

    /// <summary>Acquires that now wait in the log, with the index that names the wait. Not final.</summary>
    public List<(CommandTicket Ticket, long WaitIndex)> Queued { get; } = [];

    public List<(QueryTicket Ticket, QueryAnswer Answer)> Answered { get; } = [];

    /// <summary>In the order of their submission. A page may be shared by several: it is only read.</summary>
    public List<(WatchTicket Ticket, WatchPage Page)> WatchesAnswered { get; } = [];

    public List<(SaveTicket Ticket, SaveOutcome Outcome)> Saved { get; } = [];

    public List<(KeepAliveTicket Ticket, KeepAliveAnswer Answer)> KeptAlive { get; } = [];

    public List<EndedSession> SessionsEnded { get; } = [];

    /// <summary>For the log alone.</summary>
    public List<ReplicaWarning> Warnings { get; } = [];

    /// <summary>An index that a caller has seen, and the group does not have: an alarm (rule 23). 0: none.</summary>
    public long WitnessedIndex { get; internal set; }

    /// <summary>The leader or this replica's role changed.</summary>
    public bool LeadershipChanged { get; internal set; }

    /// <summary>This replica ended its service in this turn; why is in its status.</summary>
    public bool Halted { get; internal set; }

    /// <summary>All that the database or another peer would see.</summary>
    internal void DropWork()
    {
        Send.Clear();
        Persist = null;
        ReadEpoch = null;
        WriteSnapshot = null;
        Reactivate = null;
        SnapshotInForce = null;
    }

    internal void Clear()
    {
        DropWork();
        Completed.Clear();
        Queued.Clear();
        Answered.Clear();
        WatchesAnswered.Clear();
        Saved.Clear();
        KeptAlive.Clear();
        SessionsEnded.Clear();
        Warnings.Clear();
        LeadershipChanged = false;
        WitnessedIndex = 0;
        RecordWitness = null;
        WentBack = null;
        Halted = false;
    }
}

/// <param name="Id">Names the chunks together with the epoch.</param>
public sealed record SnapshotBytes(long Epoch, long Id, long Index, Term Term, ReadOnlyMemory<byte> Data);

/// <param name="Epoch">The activation whose storage is in doubt.</param>
/// <param name="AcknowledgedWriteSeq">A row below this went back in time.</param>
public sealed record ReactivationRequest(long Epoch, long AcknowledgedWriteSeq);
