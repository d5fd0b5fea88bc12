using System.Net;
using Coordinator.Silo.Hosting;
using Coordinator.Silo.Postgres;
using Npgsql;

namespace Coordinator.Tests.EndToEnd;

/// <summary>A silo comes up, goes down and comes back, whatever happened to it in between.</summary>
[Collection(SiloProcesses.Name)]
public sealed class StartAndStopTests
{
    [Fact]
    public async Task A_fresh_silo_gets_ready_and_ctrl_c_stops_it_and_its_postgres_in_order()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        await silo.WroteAsync($"Coordinator is ready at http://127.0.0.1:{home.Port}");
        Assert.Equal(HttpStatusCode.OK, await silo.GetStatusAsync("/health/live"));

        await silo.StopAsync(UnixSignal.Interrupt);

        Assert.Contains("database system is shut down", home.ReadPostgresLog(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restarted_silo_finds_its_database_again()
    {
        using SiloHome home = new();
        await using (SiloProcess first = SiloProcess.Start(home))
        {
            await first.ReadyAsync();
            await ExecuteAsync(home, "CREATE TABLE mark (n int)");
            await first.StopAsync();
        }

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        await ExecuteAsync(home, "DROP TABLE mark");
        await second.StopAsync();
    }

    [Fact]
    public async Task The_postgres_of_a_killed_silo_is_adopted_and_stopped_with_the_next_one()
    {
        using SiloHome home = new();
        await using SiloProcess first = SiloProcess.Start(home);
        await first.ReadyAsync();
        await first.KillAsync();
        using Postmaster left = home.FindPostmaster()!;
        Assert.True(left.IsAlive);

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        using Postmaster adopted = home.FindPostmaster()!;
        Assert.Equal(left.Pid, adopted.Pid);
        Assert.Contains("adopted", second.Output, StringComparison.Ordinal);

        await second.StopAsync();
        Assert.False(left.IsAlive);
    }

    [Fact]
    public async Task A_silo_killed_together_with_its_postgres_comes_back()
    {
        using SiloHome home = new();
        await using SiloProcess first = SiloProcess.Start(home);
        await first.ReadyAsync();
        await first.KillAsync();
        home.FindPostmaster()!.Kill();

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        await second.StopAsync();
    }

    [Fact]
    public async Task A_pid_file_that_names_a_strangers_process_is_passed_over()
    {
        using SiloHome home = new();
        await using SiloProcess first = SiloProcess.Start(home);
        await first.ReadyAsync();
        string pidFile = Path.Combine(home.ClusterFolder, PostmasterFile.Name);
        string[] lines = await File.ReadAllLinesAsync(pidFile);
        await first.KillAsync();
        home.FindPostmaster()!.Kill();
        lines[0] = $"{Environment.ProcessId}";
        await File.WriteAllLinesAsync(pidFile, lines);

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        Assert.Contains($"names process {Environment.ProcessId}", second.Output, StringComparison.Ordinal);
        await second.StopAsync();
    }

    [Fact]
    public async Task A_postmaster_that_dies_under_a_running_silo_is_started_again_at_the_same_address()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        using Postmaster first = home.FindPostmaster()!;

        first.Kill();
        await silo.WroteAsync("is gone; starting it again");
        await silo.WroteAsync("started, pid", 2);

        using Postmaster second = home.FindPostmaster()!;
        Assert.NotEqual(first.Pid, second.Pid);
        Assert.Equal(ServerAddress.Of(first.File), ServerAddress.Of(second.File));
        await ExecuteAsync(home, "SELECT 1");
        await silo.StopAsync();
    }

    [Fact]
    public async Task A_postmaster_that_hangs_does_not_keep_the_silo_from_stopping_in_time()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        using Postmaster postmaster = home.FindPostmaster()!;
        UnixSignals.Send(postmaster.Pid, UnixSignal.Stop);

        await silo.StopAsync();

        Assert.False(postmaster.IsAlive);
    }

    [Fact]
    public async Task A_second_ctrl_c_ends_it_by_force_and_leaves_no_postgres()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        using Postmaster postmaster = home.FindPostmaster()!;
        UnixSignals.Send(postmaster.Pid, UnixSignal.Stop); // So that the ordinary stop takes its time.

        silo.SignalGroup(UnixSignal.Interrupt);
        await silo.WroteAsync("did not stop in the fast mode");
        silo.SignalGroup(UnixSignal.Interrupt);

        Assert.Equal((int)ExitCode.Forced, await silo.ExitAsync());
        Assert.False(postmaster.IsAlive);
    }

    [Fact]
    public async Task A_start_interrupted_in_initdb_leaves_no_process_and_the_next_start_works()
    {
        using SiloHome home = new();
        await using SiloProcess first = SiloProcess.Start(home);
        await first.WroteAsync("Creating a private PostgreSQL");
        await first.StopAsync(UnixSignal.Interrupt);
        Assert.False(Directory.Exists(home.ClusterFolder));

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        await second.StopAsync();
    }

    [Fact]
    public async Task A_start_interrupted_while_postgres_starts_leaves_no_process()
    {
        using SiloHome home = new();
        await using SiloProcess first = SiloProcess.Start(home);
        await FileAppearsAsync(home.ClusterHome, "log");
        await first.StopAsync();

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        await second.StopAsync();
    }

    [Fact]
    public async Task A_silo_killed_half_way_through_initdb_begins_anew()
    {
        using SiloHome home = new();
        await using SiloProcess first = SiloProcess.Start(home);
        await FileAppearsAsync(home.ClusterHome, "new-*");
        first.SignalGroup(UnixSignal.Kill);
        await first.ExitAsync();
        Assert.False(Directory.Exists(home.ClusterFolder));

        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        Assert.Empty(Directory.EnumerateFileSystemEntries(home.ClusterHome, "new-*"));
        await second.StopAsync();
    }

    private static async Task ExecuteAsync(SiloHome home, string sql)
    {
        await using NpgsqlConnection connection = await home.ConnectAsync();
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task FileAppearsAsync(string folder, string pattern)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(60));
        while (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder, pattern).Any())
        {
            await Task.Delay(1, timeout.Token);
        }
    }
}
