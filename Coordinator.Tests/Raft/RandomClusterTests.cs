using Xunit.Abstractions;

namespace Coordinator.Tests.Raft;

/// <summary>Random faults break no safety property, and when they end the cluster serves again.</summary>
public sealed class RandomClusterTests(ITestOutputHelper output)
{
    private const int Seeds = 40;
    private const int Steps = 6000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Safety_holds_under_loss_reorder_crash_compaction_and_change(bool changesMembers)
    {
        SortedDictionary<string, int> totals = [];
        for (int seed = 1; seed <= Seeds; seed++)
        {
            RandomCluster cluster = new(seed, changesMembers);
            try
            {
                cluster.Run(Steps);
                cluster.HealAndConverge();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, changesMembers {changesMembers}: {e.Message}", e);
            }

            foreach ((string what, int count) in cluster.Events)
            {
                totals[what] = totals.GetValueOrDefault(what) + count;
            }
        }

        output.WriteLine($"{Seeds} seeds: {string.Join(", ", totals.Select(t => $"{t.Key} {t.Value}"))}");
        string[] mustHappen = ["crash", "start", "lost", "doubled", "reordered", "elections", "committed"];
        Assert.All(mustHappen, what => Assert.True(totals.GetValueOrDefault(what) >= Seeds, $"{what} hardly happened"));
        Assert.True(totals.GetValueOrDefault("snapshot") >= Seeds / 2, "snapshots were hardly sent");
        Assert.True(!changesMembers || totals.GetValueOrDefault("change") >= Seeds, "members hardly changed");
    }
}
