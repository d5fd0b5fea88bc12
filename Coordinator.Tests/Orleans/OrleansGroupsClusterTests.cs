using System.Diagnostics;
using Coordinator.Client;
using Coordinator.Contracts;
using Coordinator.Tests.EndToEnd;
using Npgsql;
using Xunit.Abstractions;

namespace Coordinator.Tests.Orleans;

/// <summary>Several groups on three silo processes with the Orleans host; each test leaves them running.</summary>
[Collection(SiloProcesses.Name)]
public sealed class OrleansGroupsClusterTests(OrleansGroupsCluster cluster, ITestOutputHelper output)
    : IClassFixture<OrleansGroupsCluster>
{
    // PostgreSQL counts reads with a delay of a second.
    private static readonly TimeSpan Unread = TimeSpan.FromSeconds(3);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Groups_that_rest_and_whose_leaders_silo_is_killed_or_stands_still_are_led_again(bool standsStill)
    {
        string[] keys = [.. Enumerable.Range(0, cluster.Groups).Select(group =>
            Enumerable.Range(0, int.MaxValue).Select(i => $"space{i}/key").First(key => GroupOfName.Of(key, cluster.Groups) == group))];
        // A session keeps its group awake: it ends with the client.
        await using (CoordinatorClient client = cluster.Client())
        {
            foreach (string key in keys)
                await client.Configuration.PutAsync(key, "before");
        }
        await UntilAtRestAsync();

        int silo = await cluster.LeadersSiloAsync();
        if (standsStill)
            cluster.Silo(silo).Signal(UnixSignal.Stop);
        else
            await cluster.Silo(silo).KillAsync();
        long struckAt = Stopwatch.GetTimestamp();
        await using CoordinatorClient others = cluster.Client([.. OrleansCluster.All.Where(other => other != silo)]);
        TimeSpan[] served = await Task.WhenAll(keys.Select(async key =>
        {
            await others.Configuration.PutAsync(key, "after");
            return Stopwatch.GetElapsedTime(struckAt);
        }));
        output.WriteLine($"Served after {string.Join(" s, ", served.Order().Select(after => $"{after.TotalSeconds:F1}"))} s.");
        await cluster.UntilElsewhereAsync(silo);
        await cluster.BringBackAsync(silo);
        foreach (string key in keys)
            Assert.Equal("after", await cluster.GetAsync(silo, $"/v1/config/{key}"));
    }

    /// <summary>Peers that are awake read their epochs.</summary>
    private async Task UntilAtRestAsync()
    {
        await using NpgsqlConnection connection = await cluster.ConnectAsync();
        await using var command = new NpgsqlCommand(
            "SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE schemaname = 'coordinator' AND relname = 'peer'",
            connection);
        (long Reads, long Since) last = (-1, 0);
        await RunningCluster.UntilAsync(
            async () =>
            {
                long reads = (long)(await command.ExecuteScalarAsync())!;
                if (reads != last.Reads)
                    last = (reads, Stopwatch.GetTimestamp());
                return Stopwatch.GetElapsedTime(last.Since) > Unread;
            },
            "nobody reads epochs");
    }
}

/// <summary>With eight groups.</summary>
public sealed class OrleansGroupsCluster : OrleansCluster
{
    internal override int Groups => 8;
}
