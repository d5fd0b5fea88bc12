using Coordinator.Contracts;

namespace Coordinator.Replica;

public sealed partial class ReplicaMachine
{
    private const int WitnessesMax = 4_096;

    private readonly List<ReadTicket> _takenReads = [];

    /// <summary>
    /// Serializable reads that have to do with more than this replica has applied: of callers who have seen it, or at a
    /// revision that it doesn't have; oldest first.
    /// </summary>
    private readonly List<QueryTicket> _behind = [];

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
        _reads.TakeServable(_state.AppliedIndex, _takenReads);
        foreach (ReadTicket ticket in _takenReads)
        {
            if (SeenIndexOf(ticket) > _state.AppliedIndex)
                RefuseRolledBack(ticket);
            else if (ticket is WatchTicket watch)
                ServeAfterRound(watch);
            else if (ticket is SaveTicket save)
                Save(save);
            else
                Answer((QueryTicket)ticket);
        }
        _takenReads.Clear();
    }

    /// <summary>
    /// From the own state; but never from before what the caller has seen (rule 23), and not to say that a revision is in
    /// the future, which only the group knows (rule 22).
    /// </summary>
    private void ReadHere(QueryTicket ticket)
    {
        if (!IsBehind(ticket.Query))
            Answer(ticket);
        else if (_behind.Count < WitnessesMax)
            _behind.Add(ticket);
        else
            Refuse(ticket, ErrorCode.ReplicaBehind);
    }

    private void ServeWitnesses()
    {
        for (int i = 0; i < _behind.Count;)
        {
            if (IsBehind(_behind[i].Query))
            {
                i++;
                continue;
            }
            Answer(_behind[i]);
            _behind.RemoveAt(i);
        }
    }

    private bool IsBehind(Query query) =>
        (query.SeenIndex > _state.AppliedIndex && _planted != SeededBug.WitnessNotHeard)
        || (RevisionOf(query) > _state.Revision && _planted != SeededBug.OwnRevisionTakenForGroups);

    /// <summary>0: as it is now, or it is not about configuration.</summary>
    private static long RevisionOf(Query query) => query.QueryCase switch
    {
        Query.QueryOneofCase.GetConfig => query.GetConfig.Revision,
        Query.QueryOneofCase.ListConfig => query.ListConfig.Revision,
        _ => 0,
    };

    /// <summary>
    /// A quorum has just said what is committed, and the caller has seen more: whoever answered it then had what this
    /// group has no longer.
    /// </summary>
    private void RefuseRolledBack(ReadTicket ticket)
    {
        _effects.WitnessedIndex = Math.Max(_effects.WitnessedIndex, SeenIndexOf(ticket));
        Refuse(ticket, ErrorCode.RolledBack);
    }

    private void RefuseUnconfirmedReads()
    {
        _reads.TakeUnconfirmed(_takenReads);
        _takenReads.ForEach(ticket => Refuse(ticket, ErrorCode.NotLeader));
        _takenReads.Clear();
    }

    private void Answer(QueryTicket ticket)
    {
        QueryAnswer answer = _state.Query(ticket.Query);
        answer.Position = GetPosition();
        _effects.Answered.Add((ticket, answer));
    }

    private static long SeenIndexOf(ReadTicket ticket) => ticket switch
    {
        WatchTicket watch => watch.Watch.SeenIndex,
        SaveTicket => 0,
        _ => ((QueryTicket)ticket).Query.SeenIndex,
    };

    private void Refuse(ReadTicket ticket, ErrorCode code)
    {
        if (ticket is WatchTicket watch)
            End(watch, code, RefusalText(code));
        else if (ticket is SaveTicket save)
            Refuse(save, code);
        else
            Refuse((QueryTicket)ticket, code);
    }

    private void Refuse(QueryTicket ticket, ErrorCode code) => _effects.Answered.Add((ticket, new QueryAnswer
    {
        Position = GetPosition(),
        Error = code,
        Message = RefusalText(code),
    }));
}
