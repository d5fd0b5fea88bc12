using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Coordinator.Silo.Links;

/// <summary>What a silo's links are told. Everything that waits or is taken in has a limit here.</summary>
public sealed record LinkOptions
{
    /// <summary>A secret that can be guessed protects nothing: at least this many bytes.</summary>
    public const int SecretBytesMin = 16;

    public required string ClusterName { get; init; }

    public required string SiloId { get; init; }

    /// <summary>The same on all silos of the cluster. Never on the wire.</summary>
    public required ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>Where the other silos reach this one. Port 0: any free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>All other silos of the cluster.</summary>
    public required IReadOnlyList<LinkPeer> Peers { get; init; }

    /// <summary>Bytes of peers' messages that may wait on one link; and as many of forwarded requests and answers.</summary>
    public long OutgoingBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Peers' messages that may wait on one link.</summary>
    public int OutgoingMessagesMax { get; init; } = 16_384;

    /// <summary>Largest message of a peer, or forwarded request or answer, without a snapshot's data.</summary>
    public int FrameBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>Largest snapshot's data that is sent or taken in.</summary>
    public int SnapshotBytesMax { get; init; } = 1024 * 1024 * 1024;

    /// <summary>Snapshots that may wait on one link, the one under way included.</summary>
    public int SnapshotsWaitingMax { get; init; } = 16;

    /// <summary>Forwarded requests that are open on one link, in each direction.</summary>
    public int OpenRequestsMax { get; init; } = 4_096;

    /// <summary>Answers to one forwarded request that its caller has not read yet.</summary>
    public int UnreadAnswersMax { get; init; } = 64;

    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A link is given up when nothing has been heard, or one message has not been sent, for so long.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the holder of a silo's id has to answer when another process claims the id.</summary>
    public TimeSpan AliveWait { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A silo is reported unreachable once in this time at most.</summary>
    public TimeSpan UnreachableInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The same refusal is logged once in this time at most.</summary>
    public TimeSpan RefusalLogInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Puts TLS on the listener.</summary>
    public Action<ListenOptions>? SecureListener { get; init; }

    /// <summary>What the dialer needs for addresses that begin with wss: roots to trust, a certificate of its own.</summary>
    public Action<SocketsHttpHandler>? SecureDialer { get; init; }

    /// <exception cref="ArgumentException">An option cannot be; the message says which and why.</exception>
    internal void Check()
    {
        Require(ClusterName.Length > 0, "The cluster needs a name.");
        Require(SiloId.Length > 0, "The silo needs an id.");
        Require(Secret.Length >= SecretBytesMin, $"The cluster's secret needs {SecretBytesMin} bytes, not {Secret.Length}.");
        Require(Peers.All(peer => peer.SiloId.Length > 0 && peer.SiloId != SiloId),
            $"The other silos need ids, and others than this silo's, {SiloId}.");
        Require(Peers.Select(peer => peer.SiloId).Distinct(StringComparer.Ordinal).Count() == Peers.Count,
            "Two of the other silos have the same id.");
        Require(Peers.All(peer => peer.Address.IsAbsoluteUri && peer.Address.Scheme is "ws" or "wss"),
            "A silo's link address begins with ws:// or wss://.");
        Require(PingInterval > TimeSpan.Zero && DeadAfter > PingInterval, "DeadAfter has to be longer than PingInterval.");
        Require(BackoffMin > TimeSpan.Zero && BackoffMax >= BackoffMin, "BackoffMax has to be at least BackoffMin.");
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new ArgumentException(otherwise);
    }
}
