namespace Coordinator.Raft.Core;

/// <summary>
/// Linearizable reads without an entry in the log (Raft §8; thesis §6.4). Invariant: no read is answered before this
/// leader has committed an entry of its own term, since until then its commit index may lie behind what was answered.
/// </summary>
internal sealed partial class RaftCore
{
    private readonly ReadQueue _reads = new();
    private readonly List<Message> _readsBeforeFirstCommit = [];

    /// <summary>Answers for this peer's own requests, until they are taken.</summary>
    public List<ReadState> ReadStates { get; private set; } = [];

    public List<ReadState> TakeReadStates()
    {
        List<ReadState> taken = ReadStates;
        ReadStates = [];
        return taken;
    }

    private void HandleReadIndex(Message request)
    {
        if (CommittedInCurrentTerm || _planted == SeededRaftBug.ReadsBeforeFirstCommit)
        {
            ServeRead(request);
        }
        else
        {
            _readsBeforeFirstCommit.Add(request);
        }
    }

    private void ServeRead(Message request)
    {
        bool decidesAlone = _tracker.IsSingleton && _tracker.Configuration.Voters.Contains(Id);
        if (decidesAlone || _planted == SeededRaftBug.ReadsWithoutQuorum
            || _options.ReadOnlyOption == ReadOnlyOption.LeaseBased)
        {
            AnswerRead(request, Log.Committed);
            return;
        }

        _reads.Add(request, Log.Committed);
        _reads.AcknowledgeAll(Id);
        BroadcastHeartbeat();
        AnswerConfirmedReads();
    }

    private void AnswerConfirmedReads()
    {
        foreach ((Message request, long index) in _reads.TakeConfirmed(_tracker.Configuration.Voters))
        {
            AnswerRead(request, index);
        }
    }

    private void ServeReadsAfterFirstCommit()
    {
        if (_readsBeforeFirstCommit.Count == 0 || !CommittedInCurrentTerm)
        {
            return;
        }

        Message[] requests = [.. _readsBeforeFirstCommit];
        _readsBeforeFirstCommit.Clear();
        foreach (Message request in requests)
        {
            ServeRead(request);
        }
    }

    private void AnswerRead(Message request, long index)
    {
        if (request.From.IsNone || request.From == Id)
        {
            ReadStates.Add(new ReadState(index, request.Context));
            return;
        }

        Send(new Message
        {
            Type = MessageType.ReadIndexResp,
            To = request.From,
            From = Id,
            Term = Term,
            Index = index,
            Context = request.Context,
        });
    }
}
