using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// The connection string as given, with what rule 7 fixes laid over it. Invariant: no setting of role, database or
/// caller outlives this, and nothing cancels a statement at the protocol's level.
/// </summary>
internal static class ConnectionSettings
{
    // Session defaults sent at start-up: they win over ALTER ROLE and ALTER DATABASE, and a transaction pooler refuses
    // them. The planner's settings keep the prepared statements on the primary keys, whatever the statistics say of
    // tables that were just created or emptied.
    private const string SessionDefaults =
        """
        -c synchronous_commit=on
        -c statement_timeout=0
        -c lock_timeout=0
        -c idle_in_transaction_session_timeout=5s
        -c default_transaction_isolation=read\ committed
        -c default_transaction_read_only=off
        -c default_transaction_deferrable=off
        -c client_min_messages=warning
        -c tcp_keepalives_idle=4
        -c tcp_keepalives_interval=2
        -c tcp_keepalives_count=3
        -c tcp_user_timeout=10s
        -c plan_cache_mode=force_generic_plan
        -c enable_seqscan=off
        -c enable_hashjoin=off
        -c enable_mergejoin=off
        -c jit=off
        """;

    private const int ConnectTimeoutSeconds = 5;
    private const int KeepAliveIdleSeconds = 4;
    private const int KeepAliveIntervalSeconds = 2;

    /// <summary>The writer, the epoch reader, the check, and <see cref="SharedMax"/> others.</summary>
    private const int PoolMax = SharedMax + 4;

    /// <summary>Activations, loads and snapshot chunks at one time; more wait.</summary>
    public const int SharedMax = 8;

    public static string Build(PeerDatabaseOptions options)
    {
        NpgsqlConnectionStringBuilder settings = Parse(options.ConnectionString);
        if (string.IsNullOrWhiteSpace(settings.Host))
        {
            throw new DatabaseRefusedException("The connection string names no Host.");
        }

        if (settings.Host.Contains(',', StringComparison.Ordinal))
        {
            throw new DatabaseRefusedException(
                $"The connection string names several hosts ({settings.Host}): a peer's state lives on one server.");
        }

        if (settings.Multiplexing)
        {
            throw new DatabaseRefusedException("Multiplexing in the connection string is not supported: remove it.");
        }

        settings.Options = $"{settings.Options} {SessionDefaults.ReplaceLineEndings(" ")}".TrimStart();
        settings.ApplicationName ??= "coordinator";
        settings.Timeout = ConnectTimeoutSeconds;
        settings.CommandTimeout = 0;
        settings.CancellationTimeout = -1;
        settings.KeepAlive = 0;
        settings.Pooling = true;
        settings.MinPoolSize = 0;
        settings.MaxPoolSize = PoolMax;
        settings.ConnectionLifetime = 0;
        settings.NoResetOnClose = true;
        settings.MaxAutoPrepare = 0;
        settings.Enlist = false;
        if (!IsUnixSocket(settings.Host))
        {
            settings.TcpKeepAlive = true;
            settings.TcpKeepAliveTime = KeepAliveIdleSeconds;
            settings.TcpKeepAliveInterval = KeepAliveIntervalSeconds;
        }

        return settings.ConnectionString;
    }

    private static NpgsqlConnectionStringBuilder Parse(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            // Not the text itself: it may hold a password.
            throw new DatabaseRefusedException($"The connection string cannot be read: {e.Message}", e);
        }
    }

    private static bool IsUnixSocket(string host) => Path.IsPathRooted(host) || host.StartsWith('@');
}
