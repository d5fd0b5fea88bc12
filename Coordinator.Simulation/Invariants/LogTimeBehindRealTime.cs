using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Between any two stamps of the log no more log time passes than real time passed between their proposals (rules 10
/// and 11): log time may lag, it never runs ahead, and an entry's stamp is never below the base of its leader.
/// </summary>
internal sealed class LogTimeBehindRealTime(Scenario scenario, EventQueue events) : Invariant
{
    private readonly Dictionary<(long Index, Term Term), long> _proposed = [];
    private readonly Dictionary<(PeerProcess Process, Term Term), long> _last = [];
    private long _stampUs;
    private long _stampedAtUs;

    protected override string Name => "log time never ahead of real time";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (!process.IsLeader)
            return;
        RawNode raft = process.Machine!.Raft;
        if (_last.TryGetValue((process, raft.Term), out long last))
        {
            for (long index = last + 1; index <= raft.LastIndex; index++)
                _proposed[(index, raft.Term)] = events.NowUs;
        }
        _last[(process, raft.Term)] = raft.LastIndex;
    }

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        Entry raw = entry.Entry;
        if (raw.Stamp == 0 || !_proposed.Remove((raw.Index, raw.Term), out long atUs))
            return;
        if (_stampedAtUs != 0)
        {
            double mostUs = _stampUs + ((atUs - _stampedAtUs) * (1 + scenario.DriftMax)) + 2;
            Require(raw.Stamp <= mostUs, () => $"entry {raw.Index} is stamped {raw.Stamp}; {_stampUs} was proposed {atUs - _stampedAtUs} µs before");
        }
        (_stampUs, _stampedAtUs) = (raw.Stamp, atUs);
    }
}
