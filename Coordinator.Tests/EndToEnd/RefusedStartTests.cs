using System.Net;
using System.Net.Sockets;
using Coordinator.Silo.Hosting;

namespace Coordinator.Tests.EndToEnd;

/// <summary>A silo that cannot start says why, and what to do, in one message; and nothing of it is left running.</summary>
[Collection(SiloProcesses.Name)]
public sealed class RefusedStartTests
{
    [Fact]
    public async Task A_second_silo_on_the_same_data_is_refused_and_the_first_goes_on()
    {
        using SiloHome home = new();
        await using SiloProcess first = SiloProcess.Start(home);
        await first.ReadyAsync();

        await using SiloProcess second = SiloProcess.Start(home, "--listen", "http://127.0.0.1:0");
        await RefusesAsync(second, ExitCode.DataFolderInUse, home.DataFolder, $"pid {first.Pid}", "--data");

        Assert.Equal(HttpStatusCode.OK, await first.GetStatusAsync("/health/ready"));
        await first.StopAsync();
    }

    [Fact]
    public async Task A_taken_port_is_named_before_any_postgres_is_started()
    {
        using SiloHome home = new();
        using TcpListener other = new(IPAddress.Loopback, home.Port);
        other.Start();

        await using SiloProcess silo = SiloProcess.Start(home);
        await RefusesAsync(silo, ExitCode.AddressUnavailable, $"Port {home.Port}", "--listen", "Coordinator:Listen");

        Assert.False(Directory.Exists(home.ClusterHome));
    }

    [Fact]
    public async Task Without_postgres_it_says_what_to_install_or_set()
    {
        using SiloHome home = new();
        string empty = Directory.CreateDirectory(Path.Combine(home.Folder, "no-programs")).FullName;

        await using SiloProcess silo = SiloProcess.Start(home, "--postgres", empty);
        await RefusesAsync(
            silo, ExitCode.NoPostgres, empty, "install", "Coordinator:Postgres:BinFolder", "ConnectionStrings__Coordinator");
    }

    [Fact]
    public async Task A_connection_string_to_no_server_is_named_and_starts_no_private_one()
    {
        using SiloHome home = new();
        SiloStart start = new()
        {
            Environment = { ["ConnectionStrings__Coordinator"] = "Host=127.0.0.1;Port=1;Username=u;Password=hidden;Database=d" },
        };

        await using SiloProcess silo = SiloProcess.Start(home, start);
        await RefusesAsync(silo, ExitCode.NoPostgres, "127.0.0.1:1", "ConnectionStrings__Coordinator");

        Assert.DoesNotContain("hidden", silo.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(home.ClusterHome));
    }

    [Fact]
    public async Task An_address_that_others_can_reach_is_refused_unless_it_is_allowed()
    {
        using SiloHome home = new();
        await using SiloProcess refused = SiloProcess.Start(home, "--listen", $"http://0.0.0.0:{home.Port}");
        await RefusesAsync(refused, ExitCode.BadOptions, $"0.0.0.0:{home.Port}", "AllowInsecure");

        await using SiloProcess allowed =
            SiloProcess.Start(home, "--listen", $"http://0.0.0.0:{home.Port}", "--allow-insecure", "true");
        await allowed.ReadyAsync();
        Assert.Contains("without encryption", allowed.Output, StringComparison.Ordinal);
        await allowed.StopAsync();
    }

    [Theory]
    [InlineData("Coordinator:Postgress:BinFolder", "/x")]
    [InlineData("Coordinator:ElectionTimeout", "soon")]
    [InlineData("Coordinator:Listen", "https://127.0.0.1:7400")]
    public async Task A_bad_option_is_refused_by_name(string name, string value)
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home, $"--{name}", value);
        await RefusesAsync(silo, ExitCode.BadOptions, name);
        Assert.False(Directory.Exists(home.DataFolder));
    }

    private static async Task RefusesAsync(SiloProcess silo, ExitCode exitCode, params string[] named)
    {
        Assert.Equal((int)exitCode, await silo.ExitAsync());
        Assert.All(named, part => Assert.Contains(part, silo.Output, StringComparison.Ordinal));
        Assert.Contains("Coordinator cannot start: ", silo.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Output, StringComparison.Ordinal);
    }
}
