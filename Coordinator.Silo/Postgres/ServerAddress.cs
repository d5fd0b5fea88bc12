using System.Net;
using System.Net.Sockets;
using Coordinator.Silo.Hosting;
using Npgsql;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// Where the private server listens: a socket in a folder that only its user (and root) can enter, or, on Windows, a
/// loopback port. Both ask for the password (scram-sha-256).
/// </summary>
/// <param name="Host">The socket's folder, or 127.0.0.1.</param>
internal sealed record ServerAddress(string Host, int Port)
{
    public const string Role = "coordinator";
    public const string Database = "coordinator";
    private const string SocketFolderPrefix = "coordinator-";
    private const int SocketPort = 5432; // Only a part of the socket's file name.

    // "/.s.PGSQL.5432.lock" follows; a path over 107 bytes is fatal (103 on macOS).
    private const int SocketFolderBytesMax = 80;

    public bool IsSocket => Host.StartsWith('/');

    public static async Task<ServerAddress> ChooseAsync(ServerUser user, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            using TcpListener probe = new(IPAddress.Loopback, 0);
            probe.Start();
            return new ServerAddress("127.0.0.1", ((IPEndPoint)probe.LocalEndpoint).Port);
        }

        foreach (string parent in new[] { Path.GetTempPath(), "/tmp", "/var/tmp", "/run" }.Where(IsUsableParent))
        {
            // A new name that nobody could have taken before, made with mode 0700.
            string folder = Path.Combine(parent, SocketFolderPrefix + Path.GetRandomFileName());
            await user.MakeFolderAsync(folder, cancellationToken);
            if (await user.CanUseAsync(folder, cancellationToken))
            {
                return new ServerAddress(folder, SocketPort);
            }

            Directory.Delete(folder);
        }

        throw new StartupException(
            ExitCode.NoPostgres,
            "No folder for PostgreSQL's socket: neither the temporary folder (TMPDIR) nor /tmp, /var/tmp and /run can be used.");
    }

    public static ServerAddress Of(PostmasterFile file) =>
        new(file.SocketFolder.Length > 0 ? file.SocketFolder : "127.0.0.1", file.Port);

    public string ConnectionString(string database, string password) => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = Port,
        Username = Role,
        Password = password,
        Database = database,
        SslMode = SslMode.Disable,
    }.ConnectionString;

    /// <summary>Removes the socket's folder once no server uses it.</summary>
    public void Release()
    {
        if (!IsSocket || !Path.GetFileName(Host).StartsWith(SocketFolderPrefix, StringComparison.Ordinal))
        {
            return; // Not one that was made here.
        }

        try
        {
            Directory.Delete(Host, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone already, or not ours any more: nothing needs it.
        }
    }

    private static bool IsUsableParent(string folder) =>
        Directory.Exists(folder) && folder.Length <= SocketFolderBytesMax - 25
        && folder.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.');
}
