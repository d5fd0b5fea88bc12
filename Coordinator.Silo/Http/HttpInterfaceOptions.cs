using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>The bounds and permissions of a silo's interfaces for clients.</summary>
public sealed class HttpInterfaceOptions
{
    /// <summary>
    /// Values of the Host header that are served besides loopback and the address the connection came in on; a name
    /// ("silo-1.example") or a name with a port ("silo-1.example:7400").
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; set; } = [];

    /// <summary>Origins ("https://console.example") that browsers may call from besides the silo's own.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; set; } = [];

    /// <summary>Most connections at a time, of both interfaces together.</summary>
    public int ConnectionsMax { get; set; } = 10_000;

    /// <summary>Most bytes of a JSON body.</summary>
    public int JsonBytesMax { get; set; } = 64 * 1024;

    /// <summary>Most requests of one WebSocket connection that wait for their answers at a time.</summary>
    public int OpenRequestsPerConnectionMax { get; set; } = 1024;

    /// <summary>Most sessions whose end one WebSocket connection is told of.</summary>
    public int SessionsPerConnectionMax { get; set; } = 1024;

    /// <summary>Most watches of one WebSocket connection that are open at a time.</summary>
    public int WatchesPerConnectionMax { get; set; } = 1024;

    /// <summary>
    /// Bytes that wait for one WebSocket client from which on none of its watches is asked for its next page.
    /// </summary>
    public int WatchBytesMax { get; set; } = 1024 * 1024;

    /// <summary>
    /// Most bytes of answers that wait for one WebSocket client to read them; past it the connection is closed.
    /// </summary>
    public int OutgoingBytesMax { get; set; } = 32 * 1024 * 1024;

    /// <summary>How often a silent WebSocket client is asked for a sign of life.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a WebSocket client may take for its first frame, to answer a ping, or to take a message, before its
    /// connection is closed.
    /// </summary>
    public TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most event streams of HTTP clients at a time, of the whole silo.</summary>
    public int StreamsMax { get; set; } = 10_000;

    /// <summary>How long an event stream is silent at most, so that both ends see that the other is there.</summary>
    public TimeSpan StreamSilenceMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the client of an event stream may take nothing before its stream is cut off.</summary>
    public TimeSpan StreamWriteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest body of any HTTP request.</summary>
    internal static int BodyBytesMax => Limits.RequestBytesMax;
}
