using Coordinator.Silo.Hosting;
using Npgsql;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// A PostgreSQL of this silo's own, made and kept in the data folder. While the object lives a server runs: one that
/// dies is started again at the same address. After <see cref="StopAsync"/> none runs.
/// </summary>
internal sealed class PrivatePostgres : IDisposable
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RestartDelayMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RestartDelayMax = TimeSpan.FromSeconds(5);

    private readonly string _dataFolder;
    private readonly PostgresOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private ClusterHome? _home;
    private ServerLauncher? _launcher;
    private Task _watch = Task.CompletedTask;

    public PrivatePostgres(string dataFolder, PostgresOptions options, ILogger logger, TimeProvider time)
    {
        _dataFolder = dataFolder;
        _options = options;
        _logger = logger;
        _time = time;
    }

    /// <summary>
    /// Makes the cluster if there is none, and starts or adopts its server. The answer is the connection string of the
    /// coordinator's own database, which exists; it holds good over restarts of the server.
    /// </summary>
    /// <exception cref="StartupException">It cannot be done. <see cref="StopAsync"/> is due all the same.</exception>
    public async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        ServerUser user = await ServerUser.ChooseAsync(_options.RunAs, cancellationToken);
        _home = await ClusterHome.OpenAsync(_dataFolder, user, _logger, cancellationToken);
        PostgresPrograms programs =
            await ProgramSearch.OfThisMachine(_options.BinFolder).FindAsync(_home.DataMajor, cancellationToken);
        string password = ServerPassword.ReadOrCreate(_dataFolder, _home.HasCluster);
        if (!_home.HasCluster)
        {
            _logger.CreatingCluster(programs.Version, _home.Folder);
            await ClusterMaker.MakeAsync(_home, programs, user, password, cancellationToken);
        }

        _launcher = new ServerLauncher(_home, programs, user, _options, _logger);
        Postmaster postmaster = await _launcher.LaunchAsync(cancellationToken);
        _watch = WatchAsync(postmaster, _stopping.Token);
        ServerAddress address = _launcher.Address!;
        try
        {
            await CreateDatabaseAsync(address.ConnectionString("postgres", password), cancellationToken);
        }
        catch (NpgsqlException e)
        {
            throw new StartupException(
                ExitCode.NoPostgres,
                $"The private PostgreSQL in {_home.Folder} cannot be used: {e.Message} Its log is in {_home.LogFolder}.",
                e);
        }

        return address.ConnectionString(ServerAddress.Database, password);
    }

    /// <summary>Also after a start that failed or was cancelled, or none at all.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _watch;
        }
        finally
        {
            if (_launcher is not null)
            {
                await StopServerAsync(_launcher);
            }
        }
    }

    /// <summary>The last resort, when there is no time for <see cref="StopAsync"/>.</summary>
    public Task KillAsync() => _launcher?.KillAsync() ?? Task.CompletedTask;

    public void Dispose()
    {
        _home?.Dispose();
        _stopping.Dispose();
    }

    private async Task StopServerAsync(ServerLauncher launcher)
    {
        if (await launcher.StopAsync() is { } mode)
        {
            _logger.PostgresStopped(mode);
        }

        launcher.ReleaseAddress();
    }

    private static async Task CreateDatabaseAsync(string connectionString, CancellationToken cancellationToken)
    {
        NpgsqlConnectionStringBuilder unpooled = new(connectionString) { Pooling = false };
        await using NpgsqlConnection connection = new(unpooled.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using NpgsqlCommand find = new("SELECT 1 FROM pg_database WHERE datname = $1", connection)
        {
            Parameters = { new() { Value = ServerAddress.Database } },
        };
        if (await find.ExecuteScalarAsync(cancellationToken) is null)
        {
            await using NpgsqlCommand create = new($"CREATE DATABASE {ServerAddress.Database}", connection);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private async Task WatchAsync(Postmaster postmaster, CancellationToken stopping)
    {
        try
        {
            using PeriodicTimer timer = new(WatchInterval, _time);
            while (await timer.WaitForNextTickAsync(stopping))
            {
                if (!postmaster.IsAlive)
                {
                    _logger.PostgresLost(postmaster.Pid);
                    postmaster.Dispose();
                    postmaster = await RestartAsync(stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The silo stops.
        }
        finally
        {
            postmaster.Dispose();
        }
    }

    private async Task<Postmaster> RestartAsync(CancellationToken stopping)
    {
        for (TimeSpan delay = RestartDelayMin; ; delay = Min(delay * 2, RestartDelayMax))
        {
            try
            {
                return await _launcher!.LaunchAsync(stopping);
            }
            catch (Exception e) when (e is StartupException or IOException or System.ComponentModel.Win32Exception)
            {
                // The programs, the disk or the folder may come back: the peers are suspended, not lost.
                _logger.PostgresNotRestarted(delay, e.Message);
            }

            await Task.Delay(delay, _time, stopping);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
