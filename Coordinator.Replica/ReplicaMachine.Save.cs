using Coordinator.Contracts;

namespace Coordinator.Replica;

/// <summary>Snapshots for an operator: taken in one turn, after a read round, so that all acknowledged before is in it.</summary>
public sealed partial class ReplicaMachine
{
    public void Submit(SaveTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        Touch();
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

    private void Save(SaveTicket ticket) => _effects.Saved.Add(
        (ticket, new SaveOutcome(ErrorCode.Ok, "", SavedState.Of(_state, _taker.Take(_state).Data))));

    private void Refuse(SaveTicket ticket, ErrorCode code) =>
        _effects.Saved.Add((ticket, new SaveOutcome(code, RefusalText(code), null)));
}
