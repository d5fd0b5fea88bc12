using Coordinator.Grains.Backup;
#if ORLEANS
using Coordinator.Silo.Orleans;
#endif
using Coordinator.Silo.Postgres;
using Npgsql;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// The life of the process: options, data folder, port, PostgreSQL, peers, and back. Whatever ends it, wherever it was,
/// what was started is stopped in the opposite order, and what cannot be done is said in one message.
/// </summary>
internal sealed class SiloLifetime : IDisposable
{
    private static readonly TimeSpan SignalDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GroupPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ReadyInterval = TimeSpan.FromMilliseconds(20);

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly CoordinatorOptions _options;
    private readonly WebServer _web;
    private readonly ILogger _logger;
    private PrivatePostgres? _postgres;
    private SiloHost? _group;

    private SiloLifetime(CoordinatorOptions options, WebServer web)
    {
        _options = options;
        _web = web;
        _logger = web.Loggers.CreateLogger("Coordinator");
    }

    public static async Task<ExitCode> RunAsync(string[] args)
    {
        try
        {
            if (CommandLine.AsksForHelp(args))
            {
                Console.WriteLine(CommandLine.Usage);
                return ExitCode.Stopped;
            }

            IConfiguration configuration = SiloConfiguration.Load(args);
            CoordinatorOptions options = OptionsReader.Read(configuration);
            await using WebServer web = new(configuration, options);
            using SiloLifetime silo = new(options, web);
            return await silo.RunAsync();
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync("Coordinator cannot start: " + e.Message);
            return e.ExitCode;
        }
    }

    public void Dispose() => _postgres?.Dispose();

    private async Task<ExitCode> RunAsync()
    {
        // Files that are of no use are found out before anything is made.
        ClusterRestore? restore = _options.Restore?.Open(_options.Groups);
        using StopSignals signals = new(ForceExit, _time);
        using DataFolder folder = DataFolder.Open(_options.DataFolder);
        try
        {
            await StartAsync(folder, restore, signals.Stopping);
            await (await Task.WhenAny(_group!.Failed, Task.Delay(Timeout.InfiniteTimeSpan, signals.Stopping)));
        }
        catch (OperationCanceledException) when (signals.Stopping.IsCancellationRequested)
        {
            _logger.Stopping(signals.Reason);
        }
        catch (StartupException) when (signals.Stopping.WaitHandle.WaitOne(SignalDelay))
        {
            // A signal to the process group ends the programs that start PostgreSQL too, and their end may be seen first.
            _logger.Stopping(signals.Reason);
        }
        finally
        {
            await StopAsync();
        }

        _logger.Stopped();
        return signals.IsForced ? ExitCode.Forced : ExitCode.Stopped;
    }

    private async Task StartAsync(DataFolder folder, ClusterRestore? restore, CancellationToken stopping)
    {
        await _web.StartAsync(stopping);
        _logger.DataFolderTaken(folder.Path);
        if (_options.AllowInsecure && !_web.Address.IsLoopback)
        {
            _logger.ListeningInsecurely(_web.Address.ToString());
        }

        string connectionString = await OpenPostgresAsync(folder, stopping);
        _group = await StartHostAsync(connectionString, restore, stopping);
        while (!_group.IsReady)
        {
            await (await Task.WhenAny(_group.Failed, Task.Delay(ReadyInterval, stopping)));
        }

        await Console.Out.WriteLineAsync(Greeting.For(_web.Address));
    }

    private async Task<SiloHost> StartHostAsync(
        string connectionString, ClusterRestore? restore, CancellationToken stopping)
    {
#if ORLEANS
        if (_options.Orleans is not null)
        {
            return await OrleansHost.StartAsync(connectionString, _options, restore, Serve, _web.Loggers, stopping);
        }

#endif
        if (_options.Cluster is not null)
        {
            return await ClusterHost.StartAsync(connectionString, _options, restore, Serve, _web.Loggers, stopping);
        }

        EmbeddedHost embedded = await EmbeddedHost.StartAsync(connectionString, _options, restore, _web.Loggers, stopping);
        Serve(embedded);
        return embedded;
    }

    private void Serve(SiloHost host) => _web.Serve(host.Configure);

    private async Task<string> OpenPostgresAsync(DataFolder folder, CancellationToken stopping)
    {
        if (_options.ConnectionString is { } given)
        {
            NpgsqlConnectionStringBuilder parts = new(given);
            _logger.UsingConnectionString($"{parts.Host}:{parts.Port}, database {parts.Database}");
            return given;
        }

        _postgres = new PrivatePostgres(folder.Path, _options.Postgres, _logger, _time);
        return await _postgres.StartAsync(stopping);
    }

    // Requests first, then the peers that serve them, then the server that the peers write to: each has its share of
    // the time that StopSignals allows, and each is stopped even if the one before it cannot be.
    private async Task StopAsync()
    {
        try
        {
            await _web.StopAsync(RequestPatience);
        }
        finally
        {
            try
            {
                await StopGroupAsync();
            }
            finally
            {
                await (_postgres?.StopAsync() ?? Task.CompletedTask);
            }
        }
    }

    private async Task StopGroupAsync()
    {
        try
        {
            await (_group?.DisposeAsync().AsTask() ?? Task.CompletedTask).WaitAsync(GroupPatience, _time);
        }
        catch (TimeoutException)
        {
            _logger.GroupNotStopped(GroupPatience);
        }
    }

    private void ForceExit()
    {
        Console.Error.WriteLine("Coordinator: ending by force.");
        _postgres?.KillAsync().Wait(TimeSpan.FromMilliseconds(500));
        Environment.Exit((int)ExitCode.Forced);
    }
}
