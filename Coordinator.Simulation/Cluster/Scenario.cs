using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Faults;
using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Cluster;

/// <summary>What a seed has chosen for its run: the cluster's shape, its options, and which faults it will meet.</summary>
internal sealed record Scenario
{
    public required ulong Seed { get; init; }

    public required int Peers { get; init; }

    /// <summary>With those that join later.</summary>
    public int PeersMax => Peers + 6;

    public required int Clients { get; init; }

    /// <summary>One database for all peers, or one each.</summary>
    public required bool SharesDatabase { get; init; }

    public required ReplicaOptions Options { get; init; }

    /// <summary>Of the replicated state: small ones, so that compaction happens and limits are met.</summary>
    public required StateSettings State { get; init; }

    public required NetworkFaults Network { get; init; }

    /// <summary>Clocks run at a rate within this much of 1.</summary>
    public required double DriftMax { get; init; }

    public required long SafetyUs { get; init; }

    /// <summary>Between two faults, on average.</summary>
    public required long FaultIntervalUs { get; init; }

    /// <summary>A run meets some kinds of faults and not others: what hides behind one kind shows without it.</summary>
    public required IReadOnlyList<FaultKind> Faults { get; init; }

    /// <summary>Pause of a client between two of its operations, on average.</summary>
    public required long ClientPauseUs { get; init; }

    public required int Names { get; init; }

    /// <summary>Where log and revision begin.</summary>
    public required long BaseIndex { get; init; }

    /// <summary>The group's first feature level; all programs of the cluster are at first of this version.</summary>
    public required int FirstLevel { get; init; }

    public static Scenario Draw(ulong seed, Prng random)
    {
        bool isTiny = random.Chance(0.7);
        bool isQuiet = random.Chance(0.1);
        return new Scenario
        {
            Seed = seed,
            Peers = random.Chance(0.08) ? 1 : random.Chance(0.25) ? 5 : 3,
            Clients = (int)random.Between(2, 6),
            SharesDatabase = random.Chance(0.4),
            Options = DrawOptions(random, isTiny) with
            {
                QuiesceElections = StreamOf(seed, nameof(ReplicaOptions.QuiesceElections)) is var rest && rest.Chance(0.6)
                    ? (int)rest.Between(1, 3)
                    : 0,
            },
            Network = DrawNetwork(random, isQuiet),
            DriftMax = random.Chance(0.5) ? 0.004 : 0,
            SafetyUs = random.Between(20, 80) * 1_000_000,
            FaultIntervalUs = random.Between(500, 6_000) * 1_000,
            Faults = isQuiet ? [] : DrawFaults(random.Fork()),
            ClientPauseUs = random.Between(20, 400) * 1_000,
            Names = (int)random.Between(1, 5),
            BaseIndex = random.Chance(0.3) ? random.Between(1, 10) : random.Between(1, 1L << 50),
            FirstLevel = random.Chance(0.3) ? FeatureLevels.First : FeatureLevels.Known,
            State = DrawState(random),
        };
    }

    /// <summary>For a part that is to leave all others' choices as they are without it.</summary>
    public Prng StreamOf(string part) => StreamOf(Seed, part);

    private static Prng StreamOf(ulong seed, string part)
    {
        ulong stream = seed;
        foreach (char letter in part)
            stream = (stream * 31) + letter;
        return new Prng(stream);
    }

    private static StateSettings DrawState(Prng random) => new()
    {
        HistoryRevisions = random.Chance(0.5) ? (int)random.Between(1, 100) : StateSettings.Default.HistoryRevisions,
        HistoryAgeUs = random.Chance(0.3) ? random.Between(500, 20_000) * 1_000 : StateSettings.Default.HistoryAgeUs,
        HistoryBytes = random.Chance(0.3) ? random.Between(200, 20_000) : StateSettings.Default.HistoryBytes,
        KeysPerRevision = random.Chance(0.3) ? (int)random.Between(1, 3) : StateSettings.Default.KeysPerRevision,
        KeysPerSession = random.Chance(0.3) ? (int)random.Between(1, 3) : StateSettings.Default.KeysPerSession,
    };

    private static ReplicaOptions DrawOptions(Prng random, bool isTiny) => new()
    {
        TickUs = random.Pick(TickChoices),
        ElectionTicks = 10,
        HeartbeatTicks = random.Chance(0.7) ? 1 : 2,
        SnapshotEntries = isTiny ? random.Between(3, 60) : 100_000,
        TailEntries = isTiny ? random.Between(0, 20) : 1_000,
        CompactRowsPerWrite = random.Between(1, 40),
        LazyCommitUs = random.Between(50, 1_500) * 1_000,
        StorageBudgetElections = random.Chance(0.8) ? (int)random.Between(2, 4) : 0,
        WitnessIntervalUs = random.Between(20, 2_000) * 1_000,
        KeepAliveGatherUs = random.Between(1, 50) * 1_000,
        InflightMessagesMax = random.Chance(0.3) ? (int)random.Between(1, 4) : 256,
        MessageBytesMax = random.Chance(0.1) ? 0 : random.Chance(0.3) ? random.Between(64, 2_000) : 1024 * 1024,
        UncommittedBytesMax = random.Chance(0.2) ? random.Between(300, 3_000) : 64L * 1024 * 1024,
        CommandTimeoutUs = random.Between(1_000, 8_000) * 1_000,
        SnapshotTimeoutUs = random.Between(500, 6_000) * 1_000,
        QueryTimeoutUs = random.Between(1_000, 5_000) * 1_000,
        // Smaller than a few changes, sooner than a watcher's patience.
        WatchPageBytes = 400,
        WatchProgressUs = 1_000_000,
        CheckEntries = random.Between(20, 200),
        CheckIntervalUs = random.Between(50, 1_000) * 1_000,
    };

    private static readonly long[] TickChoices = [20_000, 50_000, 100_000];

    private static NetworkFaults DrawNetwork(Prng random, bool isQuiet)
    {
        if (isQuiet)
            return new NetworkFaults();
        long delayMinUs = random.Between(50, 2_000);
        return new NetworkFaults
        {
            LossChance = random.Chance(0.5) ? random.Fraction() * 0.03 : 0,
            DuplicationChance = random.Chance(0.5) ? random.Fraction() * 0.05 : 0,
            StragglerChance = random.Chance(0.5) ? random.Fraction() * 0.05 : 0,
            StragglerMaxUs = random.Between(50, 5_000) * 1_000,
            DelayMinUs = delayMinUs,
            DelayMaxUs = delayMinUs + random.Skewed(100, 40_000),
        };
    }

    private static FaultKind[] DrawFaults(Prng random)
    {
        double share = 0.2 + (0.7 * random.Fraction());
        return [.. Enum.GetValues<FaultKind>().Where(_ => random.Chance(share))];
    }
}
