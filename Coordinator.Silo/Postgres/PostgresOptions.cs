namespace Coordinator.Silo.Postgres;

/// <summary>How the private PostgreSQL is found and run.</summary>
/// <param name="BinFolder">The folder of initdb, pg_ctl and postgres; null: search.</param>
/// <param name="RunAs">Whom the server runs as when the silo is root.</param>
/// <param name="StartTimeout">How long a start may take, recovery after a crash included.</param>
internal sealed record PostgresOptions(string? BinFolder, string RunAs, TimeSpan StartTimeout);
