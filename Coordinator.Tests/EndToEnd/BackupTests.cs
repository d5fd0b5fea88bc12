using Coordinator.Silo.Hosting;
using Coordinator.Tests.Contracts;

namespace Coordinator.Tests.EndToEnd;

/// <summary>What an operator types: a silo saved, restored, and rebuilt of what was left, each by the program itself.</summary>
[Collection(SiloProcesses.Name)]
public sealed class BackupTests
{
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task A_silo_is_saved_and_another_is_made_of_the_file()
    {
        using SiloHome before = new();
        string file = Path.Combine(before.Folder, "group.snapshot");
        await using (SiloProcess silo = SiloProcess.Start(before))
        {
            await silo.ReadyAsync();
            await Http.PutAsync(new Uri(before.Address, "/v1/config/app/colour"), new StringContent("blue"));

            string saved = await RunAsync(ExitCode.Stopped, "snapshot", "save", file, "--url", before.Address.ToString());
            Assert.Contains("keys           1,", saved, StringComparison.Ordinal);
            string again = await RunAsync(ExitCode.Failed, "snapshot", "save", file, "--url", before.Address.ToString());
            Assert.Contains("is there already", again, StringComparison.Ordinal);
            Assert.Equal([file], Directory.GetFiles(before.Folder));
            await silo.StopAsync();
        }
        Assert.Contains(": whole", await RunAsync(ExitCode.Stopped, "snapshot", "show", file), StringComparison.Ordinal);

        using SiloHome after = new();
        await using SiloProcess restored = SiloProcess.Start(after, "--restore", file, "--hold-back", "1s");
        await restored.ReadyAsync();
        Assert.Equal("blue", await Http.GetStringAsync(new Uri(after.Address, "/v1/config/app/colour")));
        await restored.StopAsync();

        // Not a second time: what the first start has made would be lost.
        await using SiloProcess twice = SiloProcess.Start(after, "--restore", file);
        Assert.Equal((int)ExitCode.GroupNotStarted, await twice.ExitAsync());
        Assert.Contains("has cluster", twice.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_groups_are_saved_restored_and_rebuilt_at_once()
    {
        using SiloHome before = new();
        string folder = Path.Combine(before.Folder, "all");
        string[] keys = [.. Enumerable.Range(0, 2).Select(group => GroupNames.In(group, 2) + "/colour")];
        await using (SiloProcess silo = SiloProcess.Start(before, "--Coordinator:Groups=2"))
        {
            await silo.ReadyAsync();
            foreach (string key in keys)
                await Http.PutAsync(new Uri(before.Address, $"/v1/config/{key}"), new StringContent($"blue {key}"));
            string saved = await RunAsync(ExitCode.Stopped, "snapshot", "save", folder, "--all", "--url", before.Address.ToString());
            Assert.Contains("group 0 of cluster", saved, StringComparison.Ordinal);
            Assert.Contains("group 1 of cluster", saved, StringComparison.Ordinal);
            string again = await RunAsync(ExitCode.Failed, "snapshot", "save", folder, "--all", "--url", before.Address.ToString());
            Assert.Contains("is there already", again, StringComparison.Ordinal);
            Assert.Equal([folder], Directory.GetFileSystemEntries(before.Folder).Where(path => path != before.DataFolder));
            await silo.StopAsync();
        }
        Assert.Equal(2, (await RunAsync(ExitCode.Stopped, "snapshot", "show", folder)).Split(": whole").Length - 1);

        using SiloHome after = new();
        await using (SiloProcess fewer = SiloProcess.Start(after, "--restore", folder))
        {
            Assert.Equal((int)ExitCode.BadSnapshot, await fewer.ExitAsync());
            Assert.Contains("group 1 is there too, and Coordinator:Groups is 1", fewer.Output, StringComparison.Ordinal);
        }
        await using (SiloProcess restored = SiloProcess.Start(after, "--Coordinator:Groups=2", "--restore", folder, "--hold-back", "1s"))
        {
            await restored.ReadyAsync();
            foreach (string key in keys)
                Assert.Equal($"blue {key}", await Http.GetStringAsync(new Uri(after.Address, $"/v1/config/{key}")));
            await restored.StopAsync();
        }

        string rebuilt = Path.Combine(after.Folder, "rebuilt");
        Assert.Contains(
            "A quorum is left", await RunAsync(ExitCode.Failed, "recover", "rebuild", rebuilt, "--data", after.DataFolder, "--all"),
            StringComparison.Ordinal);
        await LosePeersAsync(after, "--Coordinator:Groups=2");
        string plan = await RunAsync(ExitCode.Stopped, "recover", "plan", "--all", "--data", after.DataFolder);
        Assert.Equal(2, plan.Split("1 of 3 voters are left").Length - 1);
        await RunAsync(ExitCode.Stopped, "recover", "rebuild", rebuilt, "--data", after.DataFolder, "--all", "--yes", plan.Split(' ', ',')[1]);
        string shown = await RunAsync(ExitCode.Stopped, "snapshot", "show", rebuilt);
        Assert.Equal(2, shown.Split(", 1 keys,").Length - 1);
    }

    [Fact]
    public async Task A_damaged_file_is_refused_by_name_and_makes_no_group()
    {
        using SiloHome home = new();
        string file = Path.Combine(home.Folder, "group.snapshot");
        await File.WriteAllTextAsync(file, new string('x', 500));
        Assert.Contains("no snapshot", await RunAsync(ExitCode.BadSnapshot, "snapshot", "show", file), StringComparison.Ordinal);
        await using SiloProcess silo = SiloProcess.Start(home, "--restore", file);
        Assert.Equal((int)ExitCode.BadSnapshot, await silo.ExitAsync());
        await using SiloProcess missing = SiloProcess.Start(home, "--restore", file + "t");
        Assert.Equal((int)ExitCode.Failed, await missing.ExitAsync());
        Assert.False(Directory.Exists(home.DataFolder));
    }

    [Fact]
    public async Task A_stopped_silo_that_lost_two_of_its_peers_is_rebuilt_from_its_data_folder()
    {
        using SiloHome home = new();
        await using (SiloProcess silo = SiloProcess.Start(home))
        {
            await silo.ReadyAsync();
            await Http.PutAsync(new Uri(home.Address, "/v1/config/app/colour"), new StringContent("blue"));
            string running = await RunAsync(ExitCode.DataFolderInUse, "recover", "plan", "--data", home.DataFolder);
            Assert.Contains(home.DataFolder, running, StringComparison.Ordinal);
            await silo.StopAsync();
        }
        string file = Path.Combine(home.Folder, "rebuilt.snapshot");
        string whole = await RunAsync(ExitCode.Failed, "recover", "rebuild", file, "--data", home.DataFolder);
        Assert.Contains("A quorum is left", whole, StringComparison.Ordinal);

        await LosePeersAsync(home);
        string plan = await RunAsync(ExitCode.Stopped, "recover", "plan", "--data", home.DataFolder);
        Assert.Contains("1 of 3 voters are left", plan, StringComparison.Ordinal);
        Assert.Contains("cannot be known: what peers", plan, StringComparison.Ordinal);
        string cluster = plan.Split(' ', ',')[1];

        await RunAsync(ExitCode.Failed, "recover", "rebuild", file, "--data", home.DataFolder, "--yes", Guid.Empty.ToString());
        Assert.False(File.Exists(file));
        await RunAsync(ExitCode.Stopped, "recover", "rebuild", file, "--data", home.DataFolder, "--yes", cluster);
        Assert.Contains($"cluster        {cluster}", await RunAsync(ExitCode.Stopped, "snapshot", "show", file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("snapshot")]
    [InlineData("snapshot", "save")]
    [InlineData("snapshot", "show", "a", "b")]
    [InlineData("snapshot", "save", "a", "--all", "--group", "1")]
    [InlineData("recover", "plan")]
    [InlineData("recover", "plan", "--all")]
    [InlineData("recover", "plan", "--data", "a", "--all", "--group", "1")]
    [InlineData("recover", "plan", "--data")]
    [InlineData("recover", "rebuild")]
    public async Task What_is_not_understood_is_answered_with_what_there_is(params string[] words) =>
        Assert.Contains("snapshot save FILE", await RunAsync(ExitCode.BadOptions, words), StringComparison.Ordinal);

    // As a lost disk would, for two of the three.
    private static async Task LosePeersAsync(SiloHome home, params string[] args)
    {
        await using SiloProcess silo = SiloProcess.Start(home, args);
        await silo.ReadyAsync();
        silo.Signal(UnixSignal.Kill);
        await silo.ExitAsync();
        await using Npgsql.NpgsqlConnection connection = await home.ConnectAsync();
        await using var command = new Npgsql.NpgsqlCommand("DELETE FROM coordinator.peer WHERE peer_id > 1", connection);
        await command.ExecuteNonQueryAsync();
    }

    private static Task<string> RunAsync(ExitCode expected, params string[] words) => OperatorProgram.RunAsync(expected, words);
}
