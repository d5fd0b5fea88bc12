namespace Coordinator.Silo.Postgres;

/// <summary>
/// The settings that the private server is started with. They stand on its command line, so that a file edited by hand
/// cannot switch off what rule 7 asks for. No value may need quoting: pg_ctl passes them through a shell.
/// </summary>
internal static class ServerSettings
{
    private static readonly string[] Always =
    [
        // Rule 7. An acknowledged write outlives a power cut.
        "fsync=on", "synchronous_commit=on", "full_page_writes=on",

        // A handful of writers, one hot row for each peer, whose dead versions are to go soon.
        "max_connections=50", "shared_buffers=64MB", "jit=off", "max_parallel_workers_per_gather=0",
        "min_wal_size=64MB", "max_wal_size=512MB", "autovacuum=on", "autovacuum_naptime=5s",

        // A log of one week, a file for each day.
        "logging_collector=on", "log_directory=../" + ClusterHome.LogFolderName, "log_filename=postgresql-%a.log",
        "log_rotation_age=1d", "log_rotation_size=0", "log_truncate_on_rotation=on", "log_checkpoints=off",
        "cluster_name=coordinator",
    ];

    /// <summary>On Unix the server listens on no network at all; where there are no such sockets, on loopback.</summary>
    public static string CommandLine(ServerAddress address) => string.Join(
        ' ',
        Always
            .Concat(address.IsSocket
                ? ["listen_addresses=", $"unix_socket_directories={address.Host}", "unix_socket_permissions=0700"]
                : [$"listen_addresses={address.Host}"])
            .Append($"port={address.Port}")
            .Select(setting => "-c " + setting));
}
