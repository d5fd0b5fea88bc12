using System.Net.Sockets;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// The connections to one database. Invariant: whoever gets one gets a session whose settings were verified when it was
/// made (rule 7), and none while the last check refuses the server.
/// </summary>
internal sealed class DatabaseConnections : IAsyncDisposable
{
    private const int VerifyTimeoutSeconds = 5;

    private readonly NpgsqlDataSource _source;
    private readonly Reconnection _reconnection;
    private readonly SemaphoreSlim _shared = new(ConnectionSettings.SharedMax);
    private readonly TimeProvider _time;
    private volatile IReadOnlyList<string> _refusals = [];

    public DatabaseConnections(PeerDatabaseOptions options, TimeProvider time)
    {
        var builder = new NpgsqlDataSourceBuilder(ConnectionSettings.Build(options));
        builder.UsePhysicalConnectionInitializer(
            _ => throw new NotSupportedException("Connections are opened asynchronously."), VerifyAsync);
        _source = builder.Build();
        _reconnection = new Reconnection(options.ReconnectDelayMin, options.ReconnectDelayMax, time);
        _time = time;
        CommandTimeout = options.CommandTimeout;
        WriteTimeout = options.WriteTimeout;
    }

    public TimeSpan CommandTimeout { get; }

    public TimeSpan WriteTimeout { get; }

    public TimeProvider Time => _time;

    /// <summary>Set by the check; while not empty, nothing is read or written but by the check itself.</summary>
    public IReadOnlyList<string> Refusals
    {
        get => _refusals;
        set => _refusals = value;
    }

    public Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        _refusals is { Count: > 0 } refusals
            ? Task.FromException<NpgsqlConnection>(Refused(refusals))
            : OpenForCheckAsync(cancellationToken);

    /// <summary>Also while the last check refuses the server.</summary>
    public async Task<NpgsqlConnection> OpenForCheckAsync(CancellationToken cancellationToken)
    {
        await _reconnection.WaitAsync(cancellationToken);
        try
        {
            NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken);
            _reconnection.Succeeded();
            return connection;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _reconnection.Failed();
            throw;
        }
    }

    /// <summary>
    /// Runs <paramref name="command"/> on a shared connection, watched. Cancelling closes the socket: what the server
    /// makes of the command is then unknown.
    /// </summary>
    /// <exception cref="UnconfirmedException">The server answered with a warning.</exception>
    public async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> command, CancellationToken cancellationToken)
    {
        await _shared.WaitAsync(cancellationToken);
        try
        {
            await using NpgsqlConnection connection = await OpenAsync(cancellationToken);
            var warnings = new WarningWatch(connection);
            T result = await Watchdog.RunAsync(
                connection, () => command(connection), CommandTimeout, _time, cancellationToken);
            return warnings.Last is { } warning ? throw new UnconfirmedException(warning) : result;
        }
        finally
        {
            _shared.Release();
        }
    }

    /// <summary>
    /// Whether <paramref name="e"/> says that the database cannot be used now, not that this program is wrong.
    /// </summary>
    public static bool IsFault(Exception e) =>
        e is NpgsqlException or DatabaseRefusedException or UnconfirmedException or TimeoutException or SocketException
            or IOException;

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    internal static DatabaseRefusedException Refused(IReadOnlyList<string> refusals) =>
        new($"The PostgreSQL server is refused: {string.Join("; ", refusals)}.");

    private static async Task VerifyAsync(NpgsqlConnection connection)
    {
        _ = ConnectionSocket.Of(connection);
        ServerSettings settings = await ServerSettings.ReadAsync(connection);
        if (settings.Refusals() is { Count: > 0 } refusals)
        {
            throw Refused(refusals);
        }

        // Not every platform of the server can see a client's death while a statement runs; there it stays off.
        await using var command = new NpgsqlCommand("SET client_connection_check_interval = '2s'", connection);
        command.CommandTimeout = VerifyTimeoutSeconds;
        try
        {
            await command.ExecuteNonQueryAsync();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
        }
    }
}
