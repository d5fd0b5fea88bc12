using System.Diagnostics;
using Coordinator.Grains.Orleans;
using Coordinator.Tests.Postgres;
using Npgsql;
using Orleans.Hosting;

namespace Coordinator.Tests.Orleans;

/// <summary>Silos of one application over one database, in this process.</summary>
public abstract class SiloScenario(PostgresServer server) : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<TestSilo> _silos = [];
    private readonly List<string> _databases = [];
    private PostgresServer? _directories;

    protected PostgresServer Server => server;

    protected string Database => _databases[0];

    protected virtual int Silos => 1;

    internal IReadOnlyList<TestSilo> Running => _silos;

    public async Task InitializeAsync()
    {
        await CreateDatabaseAsync();
        OrleansGroupOptions options = Options();
        for (int silo = 0; silo < Silos; silo++)
            await StartAsync(options);
    }

    public async Task DisposeAsync()
    {
        foreach (TestSilo silo in _silos)
            await silo.DisposeAsync();
        foreach (string database in _databases)
            await server.DropDatabaseAsync(database);
        if (_directories is not null)
            await _directories.DisposeAsync();
    }

    protected virtual OrleansGroupOptions Options() => new()
    {
        ConnectionString = server.ConnectionString(Database),
        BalanceDelay = TimeSpan.FromMilliseconds(200),
    };

    /// <summary>Of each silo, what else it has.</summary>
    protected virtual void Configure(ISiloBuilder silo)
    {
    }

    protected async Task<string> CreateDatabaseAsync()
    {
        string database = await server.CreateDatabaseAsync();
        _databases.Add(database);
        return database;
    }

    /// <summary>A database for the grain directory on a server of its own, as it should be where peers have databases.</summary>
    /// <returns>Its connection string.</returns>
    protected async Task<string> CreateDirectoryAsync()
    {
        if (_directories is null)
        {
            _directories = new PostgresServer();
            await _directories.InitializeAsync();
        }
        return _directories.ConnectionString(await _directories.CreateDatabaseAsync());
    }

    /// <param name="directory">The connection string of the grain directory's database.</param>
    protected async Task<OrleansGroupOptions> WithDatabasesAsync(string directory)
    {
        Dictionary<string, string> databases = [];
        foreach (string name in (string[])["east", "north", "west"])
            databases[name] = server.ConnectionString(await CreateDatabaseAsync());
        return Options() with { ConnectionString = directory, Databases = databases };
    }

    protected async Task<NpgsqlConnection> ConnectAsync(string connectionString) =>
        await server.ConnectAsync(new NpgsqlConnectionStringBuilder(connectionString).Database!);

    /// <summary>Of all that its peer has stored.</summary>
    protected async Task EmptyDatabaseAsync(string connectionString)
    {
        await using NpgsqlConnection connection = await ConnectAsync(connectionString);
        await using var drop = new NpgsqlCommand("DROP SCHEMA coordinator CASCADE", connection);
        await drop.ExecuteNonQueryAsync();
    }

    internal async Task<TestSilo> StartAsync(OrleansGroupOptions options)
    {
        TestSilo silo = await TestSilo.StartAsync(options, Configure);
        _silos.Add(silo);
        return silo;
    }

    internal async Task StopAsync(TestSilo silo)
    {
        _silos.Remove(silo);
        await silo.DisposeAsync();
    }

    protected static Task UntilAsync(Func<Task<bool>> holds, string what) => UntilAsync(holds, () => what);

    /// <param name="what">Asked for when it has not come to it.</param>
    protected static async Task UntilAsync(Func<Task<bool>> holds, Func<string> what)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(startedAt) > Patience)
                Assert.Fail($"It never came to this: {what()}.");
            await Task.Delay(20);
        }
    }
}
