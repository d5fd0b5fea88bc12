namespace Coordinator.Raft;

/// <summary>
/// One peer of a Raft group, a synchronous function of its inputs: each call changes the state and piles up work,
/// <see cref="Ready"/> hands that out. One thread. Invariant: the same options, storage and calls give the same output.
/// </summary>
public sealed class RawNode
{
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public RawNode(RaftOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new NotImplementedException();
    }

    public PeerId Id => throw new NotImplementedException();
    public Term Term => throw new NotImplementedException();
    public PeerId Vote => throw new NotImplementedException();
    public PeerId Leader => throw new NotImplementedException();
    public RaftState State => throw new NotImplementedException();
    public bool IsLeader => throw new NotImplementedException();
    public long CommitIndex => throw new NotImplementedException();
    public long AppliedIndex => throw new NotImplementedException();
    public long FirstIndex => throw new NotImplementedException();
    public long LastIndex => throw new NotImplementedException();
    public Term LastTerm => throw new NotImplementedException();
    public bool CommittedInCurrentTerm => throw new NotImplementedException();
    public PeerId LeadTransferee => throw new NotImplementedException();
    public Configuration Configuration => throw new NotImplementedException();
    public Term? TermAt(long index) => throw new NotImplementedException();
    public EntrySlice Entries(long lo, long hi) => throw new NotImplementedException();
    public bool HasReady => throw new NotImplementedException();
    public void Tick() => throw new NotImplementedException();
    public void TickQuiesced() => throw new NotImplementedException();
    public void Campaign() => throw new NotImplementedException();
    public ProposalResult Propose(ReadOnlyMemory<byte> data, long stamp = 0) => throw new NotImplementedException();
    public ProposalResult Propose(ReadOnlySpan<Proposal> proposals) => throw new NotImplementedException();
    public ProposalResult ProposeConfChange(ConfChangeV2 change) => throw new NotImplementedException();
    public ProposalResult ProposeConfChange(ConfChange change) => throw new NotImplementedException();
    public ConfState ApplyConfChange(ConfChangeV2 change) => throw new NotImplementedException();
    public StepResult Step(Message message) => throw new NotImplementedException();
    public void ReadIndex(ReadOnlyMemory<byte> context) => throw new NotImplementedException();
    public void TransferLeader(PeerId transferee) => throw new NotImplementedException();
    public void ForgetLeader() => throw new NotImplementedException();
    public void ReportUnreachable(PeerId peer) => throw new NotImplementedException();
    public void ReportSnapshot(PeerId peer, SnapshotStatus status) => throw new NotImplementedException();
    public Ready Ready() => throw new NotImplementedException();
    public void Advance() => throw new NotImplementedException();
    public Status GetStatus() => throw new NotImplementedException();
}
