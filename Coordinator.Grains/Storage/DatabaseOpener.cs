using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// The first connection: waits for a server that is starting, takes no refusal for a delay, migrates.
/// </summary>
internal static class DatabaseOpener
{
    public static async Task MigrateAsync(
        DatabaseConnections connections, PeerDatabaseOptions options, ILogger log, CancellationToken cancellationToken)
    {
        long started = connections.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await connections.UseAsync(
                    async connection =>
                    {
                        int found = await Migrator.MigrateAsync(connection);
                        StorageLog.Opened(log, connection.Database, connection.Host!, Schema.Version, found);
                        return true;
                    },
                    cancellationToken);
                return;
            }
            catch (PostgresException e) when (e.SqlState != PostgresErrorCodes.CannotConnectNow && !e.IsTransient)
            {
                throw new DatabaseRefusedException($"PostgreSQL refuses: {e.MessageText} ({e.SqlState}).", e);
            }
            catch (Exception e) when (e is not DatabaseRefusedException && DatabaseConnections.IsFault(e))
            {
                if (connections.Time.GetElapsedTime(started) >= options.OpenTimeout)
                {
                    throw;
                }

                // The pause before the next try is the connections' own.
                StorageLog.OpenWaits(log, e.Message);
            }
        }
    }
}
