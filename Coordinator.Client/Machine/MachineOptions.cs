namespace Coordinator.Client.Machine;

/// <summary>What the machine is told before it starts. Valid: whoever makes one has checked it.</summary>
internal sealed record MachineOptions
{
    public required IReadOnlyList<string> Endpoints { get; init; }
    public required TimeSpan SessionTtl { get; init; }
    public required TimeSpan RequestTimeout { get; init; }
    public double DriftMarginRatio { get; init; } = 0.01;
    public TimeSpan DriftMargin { get; init; } = TimeSpan.FromMilliseconds(20);
    public string ClientName { get; init; } = "";
    public int OpenRequestsMax { get; init; } = 1024;

    /// <summary>That all of this machine's requests are for.</summary>
    public int Group { get; init; }

    /// <summary>How many the cluster has; 0: the first Welcome tells.</summary>
    public int Groups { get; init; }

    /// <summary>One session for all of the client's life: once it is lost, whatever needs it is refused.</summary>
    public bool IsSingleSession { get; init; }

    /// <summary>Delivered items of one stream that may wait for their consumer; more, and the watch is put off.</summary>
    public int StreamItemsMax { get; init; } = 4096;

    /// <inheritdoc cref="StreamItemsMax"/>
    public long StreamBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Of the jitter.</summary>
    public required int Seed { get; init; }

    /// <summary>
    /// 16 bytes that no other client ever gets: two that shared a nonce would share a session, and its locks.
    /// </summary>
    public required Func<byte[]> NextNonce { get; init; }

    /// <summary>A connection from which nothing came for this long, though something was due, is taken for dead.</summary>
    public TimeSpan SilenceMax => Min(SessionTtl / 4, Min(RequestTimeout / 2, TimeSpan.FromSeconds(5)));

    /// <summary>A silo that is not heard of at a wait's end gets this long before the client ends the wait itself.</summary>
    public TimeSpan WaitGrace => Min(SilenceMax, TimeSpan.FromMilliseconds(500));

    /// <summary>Pauses between attempts grow up to this: short enough for several within a session's life.</summary>
    public TimeSpan BackoffMax => Min(SessionTtl / 6, TimeSpan.FromSeconds(2));

    /// <summary>How often the wall clock is looked at while a session lives: a sleep shows only there.</summary>
    public TimeSpan WallCheckInterval =>
        Min(Max(SessionTtl / 20, TimeSpan.FromMilliseconds(25)), TimeSpan.FromMilliseconds(500));

    /// <summary>How long a client that is disposed goes on telling the cluster so.</summary>
    public TimeSpan ShutdownMax => Min(RequestTimeout, TimeSpan.FromSeconds(2));

    public TimeSpan Validity(TimeSpan ttl) => ttl - ttl * DriftMarginRatio - DriftMargin;

    /// <summary>As <see cref="Validity"/>, of a hold, which may be shorter than the margin.</summary>
    public TimeSpan HoldValidity(TimeSpan hold) => Max(Validity(hold), TimeSpan.Zero);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
