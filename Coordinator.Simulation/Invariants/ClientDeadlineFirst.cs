using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>When a session expires, its client's own deadline has passed: the client was first to stop (rule 13).</summary>
internal sealed class ClientDeadlineFirst(EventQueue events) : Invariant
{
    private readonly Dictionary<long, SessionBelief> _sessions = [];

    protected override string Name => "the client's deadline comes first";

    public override void SessionAnswered(SessionBelief session, long sentUs) =>
        _sessions[session.Id] = session;

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        foreach (EndedSession ended in entry.SessionsEnded)
        {
            if (ended.Reason == SessionEndReason.Expired && _sessions.TryGetValue(ended.SessionId, out SessionBelief? known))
            {
                Require(
                    !known.IsAlive(),
                    () => $"session {ended.SessionId} expires at {events.NowUs} µs, client {known.Client.Number} still believes in it");
            }
        }
    }
}
