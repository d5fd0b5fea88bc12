using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>Snapshots for an operator: taken in one turn, after a read round, so that all acknowledged before is in it.</summary>
public sealed partial class ReplicaMachine
{
    public void Submit(SaveTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        if (Service is ServiceState.Stopped or ServiceState.Quarantined)
        {
            Refuse(ticket, CodeOfEnded());
            return;
        }
        ticket.DeadlineUs = _nowUs + _options.QueryTimeoutUs;
        if (Service == ServiceState.Running && !_raft.Leader.IsNone)
            _reads.Add(ticket);
        else
            Refuse(ticket, ErrorCode.NotLeader);
    }

    private void Save(SaveTicket ticket)
    {
        Snapshot taken = _taker.Take(_state);
        var state = new SavedState(
            _state.Membership.ClusterId, _key.Group, taken.Index, taken.Term, _state.Revision, _state.LogTimeUs,
            _state.FeatureLevel, taken.Data);
        _effects.Saved.Add((ticket, new SaveOutcome(ErrorCode.Ok, "", state)));
    }

    private void Refuse(SaveTicket ticket, ErrorCode code) =>
        _effects.Saved.Add((ticket, new SaveOutcome(code, RefusalText(code), null)));
}
