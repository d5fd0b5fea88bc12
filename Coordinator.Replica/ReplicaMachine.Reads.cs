using Coordinator.Contracts;

namespace Coordinator.Replica;

public sealed partial class ReplicaMachine
{
    private readonly List<QueryTicket> _takenQueries = [];

    private void BeginReadRound()
    {
        // Before its first commit in the term a leader doesn't know what is committed (Raft §6.4); the reads gather.
        bool mayRead = !_raft.IsLeader || _raft.CommittedInCurrentTerm || _planted == SeededBug.ReadsBeforeFirstCommit;
        if (_raft.Leader.IsNone || !mayRead || _reads.TryBegin(_nowUs) is not { } round)
            return;
        // The leader's own part in the round: it still owns its row (rule 6). Of a follower's round the leader answers with
        // its own part; what a follower has applied is committed, whoever owns its row by now.
        if (!_raft.IsLeader || _planted == SeededBug.ReadsWithoutEpochRead)
            _reads.EpochConfirmed(round);
        else
            _gate.Add(new GatedItem(null, round));
        _raft.ReadIndex(round.Context(_key.Peer, _stored.Epoch));
    }

    private void ServeReads()
    {
        _reads.TakeServable(_state.AppliedIndex, _takenQueries);
        _takenQueries.ForEach(Answer);
        _takenQueries.Clear();
    }

    private void RefuseUnconfirmedReads()
    {
        _reads.TakeUnconfirmed(_takenQueries);
        _takenQueries.ForEach(ticket => Refuse(ticket, ErrorCode.NotLeader));
        _takenQueries.Clear();
    }

    private void Answer(QueryTicket ticket)
    {
        QueryAnswer answer = _state.Query(ticket.Query);
        answer.Position = GetPosition();
        _effects.Answered.Add((ticket, answer));
    }

    private void Refuse(QueryTicket ticket, ErrorCode code) => _effects.Answered.Add((ticket, new QueryAnswer
    {
        Position = GetPosition(),
        Error = code,
        Message = RefusalText(code),
    }));
}
