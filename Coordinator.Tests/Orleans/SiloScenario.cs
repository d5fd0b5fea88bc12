using System.Diagnostics;
using Coordinator.Grains.Orleans;
using Coordinator.Tests.Postgres;
using Orleans.Hosting;

namespace Coordinator.Tests.Orleans;

/// <summary>Silos of one application over one database, in this process.</summary>
public abstract class SiloScenario(PostgresServer server) : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<TestSilo> _silos = [];
    private readonly List<string> _databases = [];

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
