using Coordinator.Grains.Recovery;
using Coordinator.Silo.Hosting;
using Coordinator.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Silo.Operator;

/// <summary>
/// A stopped silo of which the database is read: by its configuration, its data folder, or the database itself. A private
/// PostgreSQL runs for as long as that takes, under the data folder's lock, so that no silo does.
/// </summary>
internal sealed record SiloToRecover(string Option, string Value)
{
    public static bool IsOption(string word) => word is "--config" or "--data" or "--database";

    /// <exception cref="StartupException">It cannot be read.</exception>
    public async Task<SurvivingDatabase> ReadAsync(CancellationToken stopping)
    {
        try
        {
            if (Option == "--database")
                return await ReadAsync(Value, stopping);
            CoordinatorOptions options = OptionsReader.Read(SiloConfiguration.Load([Option, Value]));
#if ORLEANS
            if (options.Orleans is { Databases.Count: > 0 })
            {
                throw new RecoveryException(
                    $"{Value} names a database for each peer, and of those some are lost: name each that is left, with --database.");
            }
#endif
            SurvivingDatabase found = options.ConnectionString is { } given
                ? await ReadAsync(given, stopping)
                : await ReadPrivateAsync(options, stopping);
            return found.ComparedWith(SiloHost.WitnessFolderOf(options));
        }
        catch (RecoveryException e)
        {
            throw new StartupException(ExitCode.Failed, e.Message, e);
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException)
        {
            // The value is not repeated: it may hold a password.
            throw new StartupException(ExitCode.NoPostgres, $"The database of {Option} cannot be read: {e.Message}", e);
        }
    }

    private static async Task<SurvivingDatabase> ReadPrivateAsync(CoordinatorOptions options, CancellationToken stopping)
    {
        // A silo would make what is missing; here that would be an empty cluster in the place of a lost one.
        if (!File.Exists(Path.Combine(options.DataFolder, ServerPassword.FileName)) || !ClusterHome.IsIn(options.DataFolder))
            throw new RecoveryException($"{options.DataFolder} is no data folder with a private PostgreSQL, or that is lost.");
        using DataFolder folder = DataFolder.Open(options.DataFolder);
        using PrivatePostgres postgres = new(folder.Path, options.Postgres, NullLogger.Instance, TimeProvider.System);
        try
        {
            return await SurvivorReader.ReadAsync(folder.Path, await postgres.StartAsync(stopping), stopping);
        }
        finally
        {
            await postgres.StopAsync();
        }
    }

    private static Task<SurvivingDatabase> ReadAsync(string connectionString, CancellationToken stopping)
    {
        NpgsqlConnectionStringBuilder parts = new(connectionString);
        return SurvivorReader.ReadAsync($"{parts.Host}:{parts.Port}/{parts.Database}", connectionString, stopping);
    }
}
