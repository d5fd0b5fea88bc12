using Coordinator.Silo.Hosting;
using Coordinator.Tests.Contracts;
using Coordinator.Tests.EndToEnd;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Orleans;

/// <summary>What an operator types where the Orleans host keeps all peers in one database, by the program itself.</summary>
[Collection(SiloProcesses.Name)]
public sealed class OrleansBackupTests : IAsyncLifetime
{
    private const int Groups = 2;
    private static readonly HttpClient Http = new();
    private static readonly string[] Keys = [.. Enumerable.Range(0, Groups).Select(group => GroupNames.In(group, Groups) + "/colour")];

    private readonly PostgresServer _server = new();
    // The silo's, and two that lend their ports.
    private readonly SiloHome[] _homes = [new(), new(), new()];

    private SiloHome Home => _homes[0];

    public Task InitializeAsync() => _server.InitializeAsync();

    public async Task DisposeAsync()
    {
        foreach (SiloHome home in _homes)
            home.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_silo_is_saved_and_planned_and_another_is_made_of_the_files_once()
    {
        string before = await _server.CreateDatabaseAsync(), after = await _server.CreateDatabaseAsync();
        string folder = Path.Combine(Home.Folder, "all");
        string[] plan = ["recover", "plan", "--all", "--database", _server.ConnectionString(before)];
        await using (SiloProcess silo = Start(before))
        {
            await silo.ReadyAsync();
            foreach (string key in Keys)
                await Http.PutAsync(new Uri(Home.Address, $"/v1/config/{key}"), new StringContent($"blue {key}"));
            await OperatorProgram.RunAsync(ExitCode.Stopped, "snapshot", "save", folder, "--all", "--url", Home.Address.ToString());
            Assert.Contains("is in use", await OperatorProgram.RunAsync(ExitCode.Failed, plan), StringComparison.Ordinal);
            await silo.StopAsync();
        }
        string planned = await OperatorProgram.RunAsync(ExitCode.Stopped, plan);
        Assert.Equal(Groups, planned.Split("3 of 3 voters are left").Length - 1);

        await using (SiloProcess fewer = Start(after, "--Coordinator:Groups=1", "--restore", folder))
            Assert.Equal((int)ExitCode.BadSnapshot, await fewer.ExitAsync());
        await CheckAsync(after, "--restore", folder, "--hold-back", "1s");
        await using (SiloProcess twice = Start(after, "--restore", folder, "--hold-back", "1s"))
        {
            Assert.Equal((int)ExitCode.GroupNotStarted, await twice.ExitAsync());
            Assert.Contains("start without --restore", twice.Output, StringComparison.Ordinal);
        }
        await CheckAsync(after);
    }

    [Fact]
    public async Task Of_a_silo_whose_peers_have_a_database_each_those_that_are_left_are_to_be_named()
    {
        string file = Path.Combine(Home.Folder, "silo.json");
        await File.WriteAllTextAsync(
            file,
            """
            {
              "ConnectionStrings": { "Coordinator": "Host=d" },
              "Coordinator": { "Host": "Orleans", "Orleans": { "Databases": { "a": "Host=a", "b": "Host=b", "c": "Host=c" } } }
            }
            """);
        Assert.Contains(
            "name each that is left, with --database", await OperatorProgram.RunAsync(ExitCode.Failed, "recover", "plan", "--config", file),
            StringComparison.Ordinal);
    }

    private async Task CheckAsync(string database, params string[] args)
    {
        await using SiloProcess silo = Start(database, args);
        await silo.ReadyAsync();
        foreach (string key in Keys)
            Assert.Equal($"blue {key}", await Http.GetStringAsync(new Uri(Home.Address, $"/v1/config/{key}")));
        await silo.StopAsync();
    }

    private SiloProcess Start(string database, params string[] args) => SiloProcess.Start(
        Home,
        new SiloStart
        {
            Environment = new()
            {
                ["ConnectionStrings__Coordinator"] = _server.ConnectionString(database),
                ["Coordinator__Host"] = "Orleans",
                ["Coordinator__Groups"] = $"{Groups}",
                ["Coordinator__Orleans__Endpoint"] = $"127.0.0.1:{_homes[1].Port}",
                ["Coordinator__Orleans__GatewayPort"] = $"{_homes[2].Port}",
            },
        },
        args);
}
