using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Xunit.Sdk;

namespace Coordinator.Tests.State;

/// <summary>Random logs: against a naive model, before a witness, and on copies that begin with snapshots on the way.</summary>
public sealed class StatePropertyTests
{
    private const int Steps = 600;

    private static readonly StateSettings TightLimits = new()
    {
        WaitersPerResource = 2,
        HoldingsPerSession = 3,
        OpenRequestsPerSession = 6,
        SessionsMax = 4,
        KeysPerSession = 2,
        KeysPerRevision = 2,
        HistoryRevisions = 20,
        HistoryAgeUs = 2 * Group.Second,
        HistoryBytes = 60,
        LeasesMax = 2,
        ReentriesPerHolding = 2,
        ForcedReleasesKept = 3,
    };

    private static readonly string[] Reached =
    [
        "grant Lock", "grant Shared", "grant Upgrade", "grant Semaphore", "grant Election", "grant Lease", "grant of several",
        "DowngradeLock Done", "Proclaim Done", "HandOver Released", "RenewLease Done", "ReleaseLease Released",
        "ForceRelease Done", "RequestRelease Done", "MaxHoldPassed", "LeaseExpired", "Forced",
        "LimitMismatch", "UpgradeInProgress", "DeadlockDetected", "LeaseNotFound", "CandidateNotFound", "TooManyLeases",
        "TooManyReentries", "TooManyWaiters", "TooManyHoldings", "LockNotAcquired", "LockAlreadyHeld",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(1001)]
    [InlineData(2001)]
    [InlineData(3001)]
    public void Every_log_has_the_results_of_the_model_and_keeps_its_promises(int firstSeed)
    {
        var seen = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int seed = firstSeed; seed < firstSeed + 100; seed++)
        {
            try
            {
                foreach ((string what, int times) in Run(seed))
                    seen[what] = seen.GetValueOrDefault(what) + times;
            }
            catch (Exception e)
            {
                throw new XunitException($"Seed {seed}: {e.Message}", e);
            }
        }
        // Otherwise the commands do not reach what they should.
        Assert.DoesNotContain(Reached, what => !seen.ContainsKey(what));
    }

    private static readonly SeededBug[] Plants =
    [
        SeededBug.AnyCompareDoes,
        SeededBug.BoundKeyOutlivesSession,
        SeededBug.HistoryLeftOutOfSnapshot,
        SeededBug.RollBackKeepsNewKeys,
        SeededBug.ThenDoneForElse,
    ];

    public static TheoryData<string> PlantNames => [.. Plants.Select(bug => $"{bug}")];

    [Theory]
    [MemberData(nameof(PlantNames))]
    public void A_planted_bug_is_noticed(string name)
    {
        SeededBugs.Planted = Enum.Parse<SeededBug>(name);
        try
        {
            Assert.ThrowsAny<Exception>(() => Every_log_has_the_results_of_the_model_and_keeps_its_promises(1));
        }
        finally
        {
            SeededBugs.Planted = SeededBug.None;
        }
    }

    private static IReadOnlyDictionary<string, int> Run(int seed)
    {
        var random = new Random(seed);
        var group = new Group(seed % 2 == 0 ? TightLimits : StateSettings.Default);
        var model = new NaiveModel(group.State.Settings);
        var source = new CommandSource(random);
        var witness = new Witness();
        Group copy = group.Copy();
        for (int step = 0; step < Steps; step++)
        {
            Command command = source.Next(group.State.LogTimeUs, group.State.Revision);
            long stamp = source.Stamp(group.State.LogTimeUs);

            ApplyResult result = group.Apply(command, stamp);
            if (command.CreateSession is not null && result.Result.Error == ErrorCode.Ok)
                source.SessionCreated(result.Result.SessionId);
            if (command.AcquireLease is not null && result.Result.Error == ErrorCode.Ok)
                source.LeaseGranted(result.Result.Token);
            CheckAgainstModel(group, model.Apply(group.LastIndex, stamp, command), result, model);
            Assert.Equal(model.Config.Operations, result.Result.Operations);
            witness.See(group.LastIndex, stamp, command, result, group.Effects);

            Assert.Equal(result, copy.Apply(command, stamp));
            Assert.Equal(group.Effects.WaitsEnded, copy.Effects.WaitsEnded);
            Assert.Equal(group.Effects.SessionsEnded, copy.Effects.SessionsEnded);
            Assert.Equal(group.Effects.HoldingsEnded, copy.Effects.HoldingsEnded);
            Assert.Equal(group.Effects.ReleasesRequested, copy.Effects.ReleasesRequested);
            Assert.Equal(group.Effects.ElectionsChanged, copy.Effects.ElectionsChanged);
            Assert.Equal((group.State.Hash, group.State.NextDueUs), (copy.State.Hash, copy.State.NextDueUs));
            if (random.Next(25) != 0)
                continue;
            Assert.Equal(group.Snapshot(), copy.Snapshot());
            ConfigReadings.Check(copy, model.Config, random);
            copy = group.Copy();
        }
        Assert.Equal(group.Snapshot(), copy.Snapshot());
        return witness.Seen;
    }

    private static void CheckAgainstModel(Group group, Answer expected, ApplyResult result, NaiveModel model)
    {
        Assert.Equal(expected, Answer.Of(result.Result));
        Assert.Equal(result.Result.Outcome == Outcome.Queued, result.WaitIndex != 0);
        // In which order one entry grants several is not promised, only that replicas do it alike.
        Assert.Equal(
            model.WaitsEnded.OrderBy(e => e.Entry),
            group.Effects.WaitsEnded.Select(e => (e.EntryIndex, Answer.Of(e.Result))).OrderBy(e => e.EntryIndex));
        Assert.Equal(model.SessionsEnded, group.Effects.SessionsEnded.Select(e => e.SessionId));
        Assert.Equal(
            (model.Config.Revision, model.Config.Compacted),
            (group.State.Revision, group.State.Config.History.CompactedRevision));
        Assert.Equal(model.HoldingsEnded, group.Effects.HoldingsEnded);
        Assert.Equal(model.ReleasesRequested, group.Effects.ReleasesRequested);
        Assert.Equal(model.ElectionsChanged, group.Effects.ElectionsChanged);
    }
}
