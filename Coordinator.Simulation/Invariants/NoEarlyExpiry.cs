using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>A session does not expire before its TTL has passed, in real time, since its last answered keep-alive was sent.</summary>
internal sealed class NoEarlyExpiry(Scenario scenario, EventQueue events) : Invariant
{
    private readonly Dictionary<long, (long SentUs, long TtlUs)> _answered = [];

    protected override string Name => "no early expiry";

    public override void SessionAnswered(SessionBelief session, long sentUs)
    {
        if (!_answered.TryGetValue(session.Id, out (long SentUs, long TtlUs) last) || last.SentUs < sentUs)
            _answered[session.Id] = (sentUs, session.TtlUs);
    }

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        foreach (EndedSession ended in entry.SessionsEnded)
        {
            if (ended.Reason != SessionEndReason.Expired || !_answered.TryGetValue(ended.SessionId, out (long SentUs, long TtlUs) last))
                continue;
            // A leader's clock may run fast by its drift.
            double least = last.TtlUs / (1 + scenario.DriftMax);
            long passedUs = events.NowUs - last.SentUs;
            Require(passedUs + 1 >= least, () => $"session {ended.SessionId} expires at {entry.Index}, {passedUs} µs after a keep-alive was sent; its TTL is {last.TtlUs}");
        }
    }
}
