using System.Net;

namespace Coordinator.Tests.EndToEnd;

/// <summary>Where a silo keeps things and takes its options from.</summary>
[Collection(SiloProcesses.Name)]
public sealed class FoldersAndOptionsTests
{
    [Fact]
    public async Task A_relative_data_folder_is_relative_to_the_callers_directory()
    {
        using SiloHome home = new();
        SiloStart start = new() { WithoutDefaultArgs = true };
        await using SiloProcess silo = SiloProcess.Start(home, start, "--listen", home.Address.ToString());
        await silo.ReadyAsync();
        Assert.True(File.Exists(Path.Combine(home.Folder, "data", "silo.lock")));
        await silo.StopAsync();
    }

    [Fact]
    public async Task Under_a_folder_that_only_its_owner_can_enter_it_starts_and_starts_again()
    {
        // As root, PostgreSQL runs as another user, who cannot enter: the cluster lives elsewhere. Otherwise in place.
        using SiloHome home = new(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using (SiloProcess first = SiloProcess.Start(home))
        {
            await first.ReadyAsync();
            Assert.Equal(Environment.IsPrivilegedProcess, !home.ClusterHome.StartsWith(home.Folder, StringComparison.Ordinal));
            Assert.Contains(home.ClusterHome, first.Output, StringComparison.Ordinal);
            await first.KillAsync();
        }

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        Assert.Contains("adopted", second.Output, StringComparison.Ordinal);
        await second.StopAsync();
    }

    [Fact]
    public async Task A_data_folder_with_odd_characters_and_a_long_path_works()
    {
        using SiloHome home = new();
        string data = Path.Combine(home.Folder, "it's $HOME \"q\" ü", new string('x', 120));
        await using SiloProcess silo = SiloProcess.Start(home, "--data", data);
        await silo.ReadyAsync();
        Assert.True(Directory.Exists(Path.Combine(data, "postgres", "cluster")));
        silo.SignalGroup(UnixSignal.Terminate);
        Assert.Equal(0, await silo.ExitAsync());
    }

    [Fact]
    public async Task A_value_in_appsettings_json_takes_effect()
    {
        using SiloHome home = new();
        string copy = CopyProgram(Path.Combine(home.Folder, "program"));
        string settings = Path.Combine(copy, "appsettings.json");
        await File.WriteAllTextAsync(
            settings, $$"""{ "Coordinator": { "Listen": "{{home.Address}}", "DataFolder": "./elsewhere" } }""");

        SiloStart start = new() { ProgramFolder = copy, WithoutDefaultArgs = true };
        await using SiloProcess silo = SiloProcess.Start(home, start);
        await silo.ReadyAsync();
        Assert.Equal(HttpStatusCode.OK, await silo.GetStatusAsync("/health/live"));
        Assert.True(Directory.Exists(Path.Combine(home.Folder, "elsewhere", "postgres")));
        silo.SignalGroup(UnixSignal.Terminate);
        Assert.Equal(0, await silo.ExitAsync());
    }

    [Fact]
    public void The_appsettings_json_beside_the_program_is_the_one_at_the_top()
    {
        DirectoryInfo top = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(top.FullName, "Coordinator.sln")))
        {
            top = top.Parent!;
        }

        Assert.Equal(
            File.ReadAllText(Path.Combine(top.FullName, "appsettings.json")),
            File.ReadAllText(Path.Combine(SiloProcess.ProgramFolder, "appsettings.json")));
    }

    private static string CopyProgram(string target)
    {
        Directory.CreateDirectory(target);
        foreach (string file in Directory.EnumerateFiles(SiloProcess.ProgramFolder))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        return target;
    }
}
