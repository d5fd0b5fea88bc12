namespace Coordinator.Grains.Storage;

/// <summary>How one PostgreSQL database is reached and used. Validated when it is opened.</summary>
public sealed record PeerDatabaseOptions
{
    /// <summary>
    /// Npgsql's format, directly to one server: a pooler in between is refused (rule 7). What the rules fix (time-outs,
    /// pool, prepared statements) overrides what stands here.
    /// </summary>
    public required string ConnectionString { get; init; }

    /// <summary>
    /// How long <see cref="PeerDatabase.OpenAsync"/> waits for a server that is starting up or not there yet.
    /// </summary>
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A write or an epoch read that takes longer loses its socket; a write's outcome is then Unknown (rule 7).
    /// </summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>An activation with its load, a snapshot chunk, or a check that takes longer loses its socket.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>An older snapshot held open by anybody in this database raises an alarm: dead versions of the peer rows
    /// pile up behind it and slow every write down.</summary>
    public TimeSpan SnapshotAgeAlarm { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The pause before a connection is tried again, doubled after each failure up to
    /// <see cref="ReconnectDelayMax"/>, each with jitter.</summary>
    public TimeSpan ReconnectDelayMin { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan ReconnectDelayMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Entry bytes gathered into one statement; a single peer's larger write goes alone.</summary>
    public int StatementBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Log rows gathered into one statement; a single peer's larger write goes alone.</summary>
    public int StatementRowsMax { get; init; } = 4096;

    /// <exception cref="ArgumentOutOfRangeException">An option is not positive, or contradicts another.</exception>
    public void Validate()
    {
        Positive(OpenTimeout, nameof(OpenTimeout));
        Positive(WriteTimeout, nameof(WriteTimeout));
        Positive(CommandTimeout, nameof(CommandTimeout));
        Positive(CheckInterval, nameof(CheckInterval));
        Positive(SnapshotAgeAlarm, nameof(SnapshotAgeAlarm));
        Positive(ReconnectDelayMin, nameof(ReconnectDelayMin));
        ArgumentOutOfRangeException.ThrowIfLessThan(ReconnectDelayMax, ReconnectDelayMin);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(StatementBytesMax);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(StatementRowsMax);
    }

    private static void Positive(TimeSpan value, string name) =>
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
}
