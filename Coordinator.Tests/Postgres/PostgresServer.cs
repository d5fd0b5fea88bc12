using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace Coordinator.Tests.Postgres;

/// <summary>
/// A private PostgreSQL for tests, on a Unix socket, fsync on. Tests of one collection run one after the other, so
/// each may stop, kill or restart it; the next one finds it running.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private const string UserName = "coordinator_tests";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StartTimeError = TimeSpan.FromSeconds(5);
    private static readonly string Root = Path.Combine("/tmp", "coordinator-tests-postgres");

    private readonly string _password = RandomNumberGenerator.GetHexString(32);
    private string _folder = "";
    private Process? _process;
    private int _databases;

    /// <summary>The folder of the Unix socket.</summary>
    public string SocketFolder => _folder;

    public string SocketPath => Path.Combine(_folder, ".s.PGSQL.5432");

    private string DataFolder => Path.Combine(_folder, "data");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Root);
        RemoveStale();
        _folder = await PostgresPrograms.CreateFolderAsync(Root, OwnName());
        string passwordFile = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(passwordFile, _password);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(passwordFile, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        }

        await PostgresPrograms.RunAsync(
            Path.Combine(PostgresPrograms.Folder, "initdb"),
            "-D", DataFolder, "-U", UserName, "-A", "scram-sha-256", $"--pwfile={passwordFile}", "-E", "UTF8",
            "--locale=C", "--no-sync");
        File.Delete(passwordFile);
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public string ConnectionString(string database, string? host = null, int port = 5432) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = host ?? SocketFolder,
            Port = port,
            Database = database,
            Username = UserName,
            Password = _password,
        }.ConnectionString;

    /// <summary>A new, empty database; the server is started if a test left it stopped.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        await StartAsync();
        string name = $"test{++_databases}";
        await ExecuteAsync($"CREATE DATABASE {name}");
        return name;
    }

    /// <summary>Ends its sessions too. What stays would be synchronised file by file after every kill.</summary>
    public async Task DropDatabaseAsync(string name)
    {
        await StartAsync();
        await ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");
    }

    /// <summary>A connection of the test's own, past everything that is tested.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(string database)
    {
        var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Starts the server unless it runs.</summary>
    public async Task StartAsync(params string[] settings)
    {
        long started = Stopwatch.GetTimestamp();
        while (_process is null or { HasExited: true } || !await AnswersAsync())
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException($"PostgreSQL in {_folder} does not start.");
            }

            // After a kill the old backends must be gone first; until then a start ends at once.
            if (_process is null or { HasExited: true })
            {
                Launch(settings);
            }

            await Task.Delay(20);
        }
    }

    /// <summary>An orderly stop that ends all sessions.</summary>
    public Task StopAsync() => EndAsync("INT");

    public Task KillAsync() => EndAsync("KILL");

    public static void Signal(int processId, string signal) => PostgresPrograms.Signal(processId, signal);

    private async Task ExecuteAsync(string sql)
    {
        await using NpgsqlConnection admin = await ConnectAsync("postgres");
        await using var command = new NpgsqlCommand(sql, admin);
        await command.ExecuteNonQueryAsync();
    }

    private void Launch(string[] settings)
    {
        string[] arguments =
        [
            "-D", DataFolder, "-k", _folder, "-c", "listen_addresses=", "-c", "logging_collector=on",
            .. settings.SelectMany(setting => new[] { "-c", setting }),
        ];
        _process?.Dispose();
        _process = Process.Start(
            PostgresPrograms.StartInfo(Path.Combine(PostgresPrograms.Folder, "postgres"), arguments))!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    private async Task EndAsync(string signal)
    {
        if (_process is { HasExited: false } running)
        {
            Signal(running.Id, signal);
            await running.WaitForExitAsync();
        }
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await using NpgsqlConnection connection = await ConnectAsync("postgres");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    // The name holds who owns the folder: a process id alone may have been given to another since.
    private static string OwnName()
    {
        using var self = Process.GetCurrentProcess();
        return string.Create(
            CultureInfo.InvariantCulture, $"{self.Id}-{self.StartTime.Ticks:x}-{RandomNumberGenerator.GetHexString(4)}");
    }

    // Left by runs that were aborted before they could clean up.
    private static void RemoveStale()
    {
        foreach (string folder in Directory.GetDirectories(Root))
        {
            string[] owner = Path.GetFileName(folder).Split('-');
            if (owner.Length != 3 || IsAlive(owner[0], owner[1]))
            {
                continue;
            }

            string pidFile = Path.Combine(folder, "data", "postmaster.pid");
            if (File.Exists(pidFile)
                && int.TryParse(File.ReadLines(pidFile).FirstOrDefault(), CultureInfo.InvariantCulture, out int pid)
                && File.Exists($"/proc/{pid}/cmdline")
                && File.ReadAllText($"/proc/{pid}/cmdline").Contains(folder, StringComparison.Ordinal))
            {
                Signal(pid, "KILL");
            }

            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // Its last backends are still ending; the next run removes it.
            }
        }
    }

    private static bool IsAlive(string processId, string startTime)
    {
        try
        {
            using var process = Process.GetProcessById(int.Parse(processId, CultureInfo.InvariantCulture));
            // Each process works it out from a clock of its own.
            var noted = new DateTime(long.Parse(startTime, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            return (process.StartTime - noted).Duration() < StartTimeError;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}

[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>
{
    public const string Name = "PostgreSQL";
}
