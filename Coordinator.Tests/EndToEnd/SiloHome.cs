using System.Net;
using System.Net.Sockets;
using Coordinator.Silo.Postgres;
using Npgsql;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// A temporary folder and a port of their own for silos that are started one after another. At the end no process and
/// no folder of them is left.
/// </summary>
internal sealed class SiloHome : IDisposable
{
    /// <param name="mode">Of the folder above the data folder; by default everybody can enter it.</param>
    public SiloHome(UnixFileMode mode = (UnixFileMode)0b111_101_101)
    {
        Folder = Directory.CreateTempSubdirectory("silo-test-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Folder, mode);
        }

        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        Port = ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public string Folder { get; }

    public int Port { get; }

    public string DataFolder => Path.Combine(Folder, "data");

    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>Where PostgreSQL's user keeps the cluster: in the data folder, or where its note says.</summary>
    public string ClusterHome
    {
        get
        {
            string note = Path.Combine(DataFolder, "postgres.location");
            return Path.Combine(File.Exists(note) ? File.ReadAllText(note).Trim() : DataFolder, "postgres");
        }
    }

    public string ClusterFolder => Path.Combine(ClusterHome, "cluster");

    /// <summary>The live postmaster of this home's cluster; null if there is none.</summary>
    public Postmaster? FindPostmaster() => Postmaster.Find(ClusterFolder);

    /// <summary>A connection to the private server, as its silo makes them.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        NpgsqlConnection connection = new(await ConnectionStringAsync(ServerAddress.Database) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    public async Task<string> ConnectionStringAsync(string database)
    {
        string password = await File.ReadAllTextAsync(Path.Combine(DataFolder, "postgres.password"));
        using Postmaster postmaster = FindPostmaster() ?? throw new InvalidOperationException("No postmaster runs.");
        return ServerAddress.Of(postmaster.File).ConnectionString(database, password);
    }

    public string ReadPostgresLog() => string.Concat(
        Directory.EnumerateFiles(Path.Combine(ClusterHome, "log")).Order().Select(File.ReadAllText));

    public void Dispose()
    {
        string elsewhere = Path.GetDirectoryName(ClusterHome)!;
        string[] folders = elsewhere == DataFolder ? [Folder] : [Folder, elsewhere];
        foreach (string folder in folders)
        {
            foreach (string pidFile in Directory.EnumerateFiles(folder, PostmasterFile.Name, SearchOption.AllDirectories))
            {
                KillServerOf(Path.GetDirectoryName(pidFile)!);
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    private static void KillServerOf(string clusterFolder)
    {
        using Postmaster? leftOver = Postmaster.Find(clusterFolder);
        leftOver?.Kill();
        if (PostmasterFile.Read(clusterFolder) is { } file)
        {
            ServerAddress.Of(file).Release();
        }
    }
}
