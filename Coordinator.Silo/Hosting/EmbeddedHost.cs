using Npgsql;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// All peers of one group in this process, over one PostgreSQL. Serves from <see cref="Configure"/> on; after
/// <see cref="DisposeAsync"/> no peer writes.
/// </summary>
internal sealed class EmbeddedHost : IAsyncDisposable
{
    private readonly string _state = "ready";

    private EmbeddedHost()
    {
    }

    /// <summary>Whether a linearizable request would be served now.</summary>
    public bool IsReady => _state == "ready";

    /// <exception cref="StartupException">The database cannot be used, or its group not be opened.</exception>
    public static async Task<EmbeddedHost> StartAsync(
        string connectionString, CoordinatorOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        await CheckDatabaseAsync(connectionString, cancellationToken);
        return new EmbeddedHost();
    }

    /// <summary>Puts the group's interfaces into the pipeline.</summary>
    public void Configure(IApplicationBuilder pipeline) => pipeline.Run(context =>
    {
        context.Response.StatusCode = context.Request.Path == "/health/ready" && IsReady ? 200 : 404;
        return Task.CompletedTask;
    });

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // A server that cannot be reached is the most likely mistake with a connection string: said at once and by name.
    private static async Task CheckDatabaseAsync(string connectionString, CancellationToken cancellationToken)
    {
        NpgsqlConnectionStringBuilder unpooled = new(connectionString) { Pooling = false };
        try
        {
            await using NpgsqlConnection connection = new(unpooled.ConnectionString);
            await connection.OpenAsync(cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw new StartupException(
                ExitCode.NoPostgres,
                $"The PostgreSQL server at {unpooled.Host}:{unpooled.Port}, database {unpooled.Database}, cannot be used: "
                + $"{e.Message} Start it, or correct ConnectionStrings__Coordinator.",
                e);
        }
    }
}
