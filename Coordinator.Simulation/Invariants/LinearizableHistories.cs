using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Histories;
using Coordinator.Simulation.Linearizability;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// What clients saw could have come from one copy of each key and each lock (Herlihy and Wing). Judged at the end by their
/// histories alone: it knows nothing of logs, leaders or positions. A list over a prefix belongs to no single key, and is
/// left to <see cref="LinearizableReads"/>.
/// </summary>
internal sealed class LinearizableHistories(Scenario scenario, EventQueue events, Happenings happenings) : Invariant
{
    public const string InvariantName = "linearizable histories";

    /// <summary>For each key. Far above what it takes: to be undecided is a violation.</summary>
    private const long StepsMax = 10_000_000;

    private readonly ConfigHistory _config = new(events);
    private readonly LockHistory _locks = new(events);
    private readonly Dictionary<long, long> _earliestEndUs = [];

    protected override string Name => InvariantName;

    public override void CommandSent(SimulatedClient client, Command command)
    {
        _config.Sent(client.Number, command);
        _locks.Sent(client.Number, command);
    }

    public override void QuerySent(SimulatedClient client, Query query)
    {
        _config.Sent(client.Number, query);
        _locks.Sent(client.Number, query);
    }

    public override void CommandAnswered(SimulatedClient client, Command command, CommandAnswer answer)
    {
        _config.Answered(command, answer.Result);
        _locks.Answered(command, answer.Result);
    }

    public override void CommandNeverExecuted(Command command) => _config.NeverExecuted(command);

    public override void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
        _config.Answered(query, answer);
        _locks.Answered(query, answer);
    }

    /// <summary>It may expire from a TTL on after its last answered keep-alive was sent, by a clock that drifts (rule 11).</summary>
    public override void SessionAnswered(SessionBelief session, long sentUs)
    {
        long earliestUs = sentUs + (long)(session.TtlUs / (1 + scenario.DriftMax)) - 1;
        if (_earliestEndUs.TryAdd(session.Id, earliestUs))
            AwaitEnd(session.Id);
        else
            _earliestEndUs[session.Id] = Math.Max(_earliestEndUs[session.Id], earliestUs);
    }

    public override void SessionGone(long session) => _locks.SessionHasEnded(session);

    public override void AtEnd(World world)
    {
        Check(new ConfigModel(), _config.Events);
        Check(new LockModel(), _locks.Events);
    }

    private void AwaitEnd(long session) => events.At(_earliestEndUs[session], () =>
    {
        if (events.NowUs < _earliestEndUs[session])
            AwaitEnd(session);
        else
            _locks.SessionMayEnd(session);
    });

    private void Check<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, IReadOnlyList<HistoryEvent<TInput, TOutput>> history)
        where TInput : class
        where TOutput : class
    {
        CheckResult result = LinearizabilityChecker.Check(model, history, StepsMax);
        happenings.Count(Happening.HistoryChecked, result.Partitions.Count);
        happenings.Count(Happening.HistoryOperationChecked, result.Partitions.Sum(partition => partition.Operations));
        Require(result.Verdict == Verdict.Linearizable, result.ToString);
    }
}
