using System.Data;
using System.Net.Sockets;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Bounds a command by closing its socket (rule 7). Invariant: when it throws because time was up, the connection is
/// gone, and what the server makes of the command is unknown.
/// </summary>
internal static class Watchdog
{
    // How long the closed socket may take to surface in the command; it is abandoned after that, not waited for.
    private static readonly TimeSpan Surfacing = TimeSpan.FromSeconds(1);

    /// <exception cref="NpgsqlException">The connection broke, or the server says no.</exception>
    /// <exception cref="TimeoutException">It took longer than <paramref name="timeout"/>.</exception>
    /// <exception cref="OperationCanceledException">The caller no longer waits.</exception>
    public static async Task<T> RunAsync<T>(
        NpgsqlConnection connection,
        Func<Task<T>> command,
        TimeSpan timeout,
        TimeProvider time,
        CancellationToken cancellationToken = default)
    {
        Socket socket = ConnectionSocket.Of(connection);
        Task<T> running = command();
        await ((Task)running.WaitAsync(timeout, time, cancellationToken))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (running.IsCompleted)
        {
            try
            {
                return await running;
            }
            catch (InvalidOperationException e)
                when (e is ObjectDisposedException || connection.State != ConnectionState.Open)
            {
                // So the driver tells of a connection that broke between two commands, or at the end of one; while it
                // is still taking the connection down, the state says Open.
                throw new NpgsqlException($"The connection broke: {e.Message}", e);
            }
        }

        socket.Dispose();
        await ((Task)running.WaitAsync(Surfacing, time, CancellationToken.None))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        throw new TimeoutException($"PostgreSQL did not answer within {timeout}; the connection was closed.");
    }
}
