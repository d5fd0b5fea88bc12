using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>When a session expires, its client's own deadline has passed: the client was first to stop (rule 13).</summary>
internal sealed class ClientDeadlineFirst(EventQueue events) : Invariant
{
    private readonly Dictionary<long, SessionBelief> _sessions = [];
    private readonly List<SessionBelief> _expired = [];

    protected override string Name => "the client's deadline comes first";

    public override void SessionAnswered(SessionBelief session, long sentUs) =>
        _sessions[session.Id] = session;

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        foreach (EndedSession ended in entry.SessionsEnded)
        {
            if (ended.Reason != SessionEndReason.Expired || !_sessions.TryGetValue(ended.SessionId, out SessionBelief? known))
                continue;
            RequireOver(known);
            _expired.Add(known);
        }
    }

    /// <summary>A sleeping client believes in nothing; it must not begin again with what ended meanwhile.</summary>
    public override void ClientWoke(SimulatedClient client)
    {
        foreach (SessionBelief session in _expired)
        {
            if (session.Client == client)
                RequireOver(session);
        }
    }

    private void RequireOver(SessionBelief session) => Require(
        !session.IsAlive(),
        () => $"session {session.Id} has expired by {events.NowUs} µs, client {session.Client.Number} still believes in it");
}
