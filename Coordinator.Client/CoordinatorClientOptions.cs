using System.Net.WebSockets;
using Coordinator.Client.Connection;
using Coordinator.Contracts;
using Microsoft.Extensions.Logging;

namespace Coordinator.Client;

/// <summary>What a client is told before it starts; checked, and copied, by the client's constructor.</summary>
public sealed class CoordinatorClientOptions
{
    public const string DefaultEndpoint = "http://127.0.0.1:7400";

    /// <summary>Addresses of silos, http or https; any of them leads to the others. Tried in this order.</summary>
    public IList<string> Endpoints { get; init; } = [];

    /// <summary>
    /// How long the cluster keeps this client's locks after it last heard from it: 0.5 s to 1 day. Short: a dead
    /// client's locks are free soon. Long: an outage of that length costs no lock.
    /// </summary>
    public TimeSpan SessionTtl { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a read or a write may take, and how long an acquire may go without reaching the cluster. The wait for a
    /// lock is not counted: it has a limit of its own.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Part of the TTL, and a fixed time, by which the client considers its session lost before the cluster ends it:
    /// room for clocks that run at different speeds.
    /// </summary>
    public double DriftMarginRatio { get; set; } = 0.01;

    /// <inheritdoc cref="DriftMarginRatio"/>
    public TimeSpan DriftMargin { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Shown by the cluster in listings of sessions: at most 1 KiB.</summary>
    public string ClientName { get; set; } = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>Most requests that may be open at a time in one group, acquires that wait included: 1 to 1,024.</summary>
    public int OpenRequestsMax { get; set; } = 1024;

    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Called before each connection: certificates, headers, proxy.</summary>
    public Action<ClientWebSocketOptions>? ConfigureWebSocket { get; set; }

    /// <summary>
    /// Makes the logger, of category "Coordinator.Client", that is told what happens to connections, sessions and what is
    /// held; event ids 4000 to 4099. Called by the client's own loop: it has to be quick.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Opens what carries a connection: a WebSocket, or what behaves as one.</summary>
    internal Func<Uri, CoordinatorClientOptions, CancellationToken, Task<WebSocket>> OpenSocket { get; set; } =
        SocketLink.OpenAsync;

    /// <summary>The client is one session: see <see cref="CoordinatorSession"/>.</summary>
    internal bool IsSingleSession { get; init; }

    internal CoordinatorClientOptions Validated()
    {
        string[] endpoints = Endpoints.Count == 0 ? [DefaultEndpoint] : [.. Endpoints];
        foreach (string endpoint in endpoints)
        {
            if (!ClientEndpoint.IsValid(endpoint))
                throw new ArgumentException($"\"{endpoint}\" is not an http or https address, such as {DefaultEndpoint}.");
        }
        Require(SessionTtl >= Limits.TtlMin && SessionTtl <= Limits.TtlMax, nameof(SessionTtl), SessionTtl,
            $"from {Limits.TtlMin} to {Limits.TtlMax}");
        Require(RequestTimeout > TimeSpan.Zero && RequestTimeout <= Limits.WaitMax, nameof(RequestTimeout),
            RequestTimeout, $"over 0 and at most {Limits.WaitMax}");
        Require(DriftMarginRatio is >= 0 and < 0.5, nameof(DriftMarginRatio), DriftMarginRatio, "from 0 to under 0.5");
        Require(DriftMargin >= TimeSpan.Zero && DriftMargin <= SessionTtl / 4, nameof(DriftMargin), DriftMargin,
            "from 0 to a quarter of the TTL");
        Require(OpenRequestsMax is >= 1 and <= 1024, nameof(OpenRequestsMax), OpenRequestsMax, "from 1 to 1024");
        ArgumentNullException.ThrowIfNull(TimeProvider);
        if (ResourceName.LabelProblem(ClientName) is { } problem)
            throw new ArgumentException($"{nameof(ClientName)}: {problem}");
        return Copy(endpoints, SessionTtl, ClientName, IsSingleSession);
    }

    /// <summary>The same for a session of its own.</summary>
    internal CoordinatorClientOptions ForSession(TimeSpan? ttl, string? metadata)
    {
        TimeSpan sessionTtl = ttl ?? SessionTtl;
        CoordinatorClientOptions options = Copy([.. Endpoints], sessionTtl, metadata ?? ClientName, isSingleSession: true);
        // The margin was chosen for another time to live.
        if (options.DriftMargin > sessionTtl / 4)
            options.DriftMargin = sessionTtl / 4;
        return options.Validated();
    }

    private CoordinatorClientOptions Copy(string[] endpoints, TimeSpan sessionTtl, string clientName, bool isSingleSession) =>
        new()
        {
            Endpoints = endpoints,
            SessionTtl = sessionTtl,
            RequestTimeout = RequestTimeout,
            DriftMarginRatio = DriftMarginRatio,
            DriftMargin = DriftMargin,
            ClientName = clientName,
            OpenRequestsMax = OpenRequestsMax,
            TimeProvider = TimeProvider,
            ConfigureWebSocket = ConfigureWebSocket,
            LoggerFactory = LoggerFactory,
            OpenSocket = OpenSocket,
            IsSingleSession = isSingleSession,
        };

    private static void Require(bool holds, string option, object value, string range)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(option, value, $"{option} has to be {range}.");
    }
}
