using System.Net;
using System.Text.Json;
using Coordinator.Client;
using Npgsql;

namespace Coordinator.Tests.EndToEnd;

/// <summary>A cluster that loses the database of the silo that founded it; the rest has to bear it.</summary>
[Collection(SiloProcesses.Name)]
public sealed class LostDatabaseTests(RunningCluster cluster) : IClassFixture<RunningCluster>
{
    private const int Founder = 0;
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task A_silo_with_an_emptied_database_does_not_come_back_as_the_old_peer_and_serves_through_the_others()
    {
        await using CoordinatorClient client = cluster.Client(1, 2);
        await client.Configuration.PutAsync("kept", "by the others");
        await cluster.Silo(Founder).StopAsync();
        Directory.Delete(cluster.Home(Founder).DataFolder, recursive: true);

        SiloProcess returned = cluster.Start(Founder);
        await returned.WroteAsync("has lost its peer");
        await CheckLostAsync();
        // Nor does it with another start.
        await returned.StopAsync();
        await cluster.Start(Founder).WroteAsync("has lost its peer");
        await CheckLostAsync();
        await client.Configuration.PutAsync("kept", "still");
        await using CoordinatorClient through = cluster.Client(Founder);
        Assert.Equal("still", (await through.Configuration.GetAsync("kept"))?.GetString());
        GroupInfo group = await through.Cluster.DescribeAsync();
        Assert.True(group is { Revision: > 0, FeatureLevel: > 0 }, $"It knows nothing of the group: {group}.");
        using HttpResponseMessage unsaved = await Http.GetAsync(cluster.Urls[Founder] + "/v1/groups/0/snapshot");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, unsaved.StatusCode);
        Assert.Contains("no peer of group 0", await unsaved.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await through.Configuration.PutAsync("kept", "through the silo without a peer");
        Assert.Equal(
            "through the silo without a peer", (await client.Configuration.GetAsync("kept"))?.GetString());
    }

    [Fact]
    public async Task A_silo_with_another_secret_is_refused_by_all_and_serves_nothing()
    {
        using SiloHome home = new();
        await using SiloProcess stranger = await cluster.StartAsAsync(Founder, home, "a secret that is not the cluster's");
        await stranger.WroteAsync("WrongSecret");
        await stranger.WroteAsync("missing: b, c");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await stranger.GetStatusAsync("/health/ready"));
        await stranger.StopAsync();
    }

    private async Task CheckLostAsync()
    {
        JsonElement status = await cluster.StatusAsync(Founder);
        Assert.Contains("is lost", status.GetProperty("notice").GetString(), StringComparison.Ordinal);
        await using NpgsqlConnection connection = await cluster.Home(Founder).ConnectAsync();
        await using var count = new NpgsqlCommand(
            "SELECT (SELECT count(*) FROM coordinator.peer) + (SELECT count(*) FROM coordinator.cluster)", connection);
        Assert.Equal(0L, await count.ExecuteScalarAsync());
        JsonElement lost = RunningCluster.Peers(await cluster.StatusAsync(1)).First();
        Assert.Equal("unknown", lost.GetProperty("state").GetString());
    }
}
