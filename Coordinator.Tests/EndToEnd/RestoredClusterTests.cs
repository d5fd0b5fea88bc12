using Coordinator.Client;
using Coordinator.Contracts;
using Coordinator.Silo.Hosting;
using Coordinator.Tests.Contracts;
using Npgsql;

namespace Coordinator.Tests.EndToEnd;

/// <summary>A cluster of two groups is saved, and three new silos become another one of the files; all of them real processes.</summary>
[Collection(SiloProcesses.Name)]
public sealed class RestoredClusterTests : IDisposable
{
    private const int Groups = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string[] Spaces = [.. Enumerable.Range(0, Groups).Select(group => GroupNames.In(group, Groups))];

    private readonly SiloHome _files = new();

    private string Early => Path.Combine(_files.Folder, "early");

    private string Late => Path.Combine(_files.Folder, "late");

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Three_silos_are_made_of_the_files_of_three_others_though_one_has_others_and_one_is_killed_in_between()
    {
        Known[] known = await SaveAsync();
        var cluster = new RunningCluster { Args = silo => Restoring(silo == 2 ? Early : Late) };
        try
        {
            // The last one has other files: nobody founds anything.
            foreach (int silo in RunningCluster.All)
                cluster.Start(silo);
            await cluster.Silo(0).WroteAsync("Silo c is to restore group 0 of the file");
            await cluster.Silo(2).WroteAsync("Silo a is to restore group 0 of the file");
            await cluster.Silo(2).StopAsync();

            // The second one is killed while it stores its part, which the others have done by then.
            cluster.Args = _ => Restoring(Late);
            await using (NpgsqlConnection connection = await cluster.Home(1).ConnectAsync())
            {
                await using var all = new NpgsqlCommand("BEGIN; LOCK TABLE coordinator.peer IN ACCESS EXCLUSIVE MODE", connection);
                await all.ExecuteNonQueryAsync();
                await cluster.Start(2).ReadyAsync();
                await using CoordinatorClient client = Client(cluster.Urls[0]);
                CoordinatorException heldBack = await Assert.ThrowsAnyAsync<CoordinatorException>(
                    () => client.Locks.TryAcquireAsync(Spaces[0] + "/lock"));
                Assert.Equal(ErrorCode.GrantsHeldBack, heldBack.Code);
                await using var waiting = new NpgsqlCommand("SELECT count(*) FROM pg_locks WHERE NOT granted", connection);
                await RunningCluster.UntilAsync(async () => await waiting.ExecuteScalarAsync() is > 0L, "the second one stores its part");
                await cluster.KillAsync(1);
            }
            await cluster.Start(1).ReadyAsync();

            foreach (int silo in RunningCluster.All)
                await CheckAsync(cluster.Urls[silo], known);
            await RefusedAsync(cluster, silo: 2);
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }

    private static string[] Restoring(string folder) =>
        [$"--Coordinator:Groups={Groups}", "--restore", folder, "--hold-back", "20s"];

    /// <summary>What the new cluster has been made of, it isn't made of again.</summary>
    private static async Task RefusedAsync(RunningCluster cluster, int silo)
    {
        await cluster.Silo(silo).StopAsync();
        SiloProcess again = cluster.Start(silo);
        Assert.Equal((int)ExitCode.GroupNotStarted, await again.ExitAsync());
        Assert.Contains("start without --restore", again.Output, StringComparison.Ordinal);
        cluster.Args = _ => [$"--Coordinator:Groups={Groups}"];
        await cluster.Start(silo).ReadyAsync();
    }

    private async Task<Known[]> SaveAsync()
    {
        var cluster = new RunningCluster { Args = _ => [$"--Coordinator:Groups={Groups}"] };
        try
        {
            await cluster.InitializeAsync();
            await SaveAsync(cluster, Early);
            await using CoordinatorClient client = Client(cluster.Urls);
            List<Known> known = [];
            foreach (string space in Spaces)
            {
                ConfigRevision put = await client.Configuration.PutAsync(space + "/colour", $"blue {space}");
                LockHandle held = await client.Locks.AcquireAsync(space + "/lock", Patience);
                known.Add(new Known(space, put.Revision, held.FencingToken));
            }
            await SaveAsync(cluster, Late);
            return [.. known];
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }

    private static Task<string> SaveAsync(RunningCluster cluster, string folder) =>
        OperatorProgram.RunAsync(ExitCode.Stopped, "snapshot", "save", folder, "--all", "--url", cluster.Urls[1]);

    private static async Task CheckAsync(string url, Known[] known)
    {
        await using CoordinatorClient client = Client(url);
        foreach (Known one in known)
        {
            Assert.Equal($"blue {one.Space}", (await client.Configuration.GetAsync(one.Space + "/colour"))?.GetString());
            Assert.True((await client.Configuration.PutAsync(one.Space + "/after", "x")).Revision > one.Revision);
            await using LockHandle held = await client.Locks.AcquireAsync(one.Space + "/lock", Patience);
            Assert.True(held.FencingToken > one.Token);
        }
    }

    /// <summary>Its sessions end sooner than grants are held back.</summary>
    private static CoordinatorClient Client(params string[] urls) => new(new CoordinatorClientOptions
    {
        Endpoints = urls,
        SessionTtl = TimeSpan.FromSeconds(8),
        RequestTimeout = Patience,
    });

    /// <summary>What a group had given out before.</summary>
    private sealed record Known(string Space, long Revision, long Token);
}
