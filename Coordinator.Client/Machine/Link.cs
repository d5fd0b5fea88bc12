namespace Coordinator.Client.Machine;

internal enum LinkPhase
{
    /// <summary>Not connected; the next attempt is due at <see cref="Link.NotBefore"/>.</summary>
    Idle,

    Connecting,

    /// <summary>Connected; the silo's Welcome is awaited.</summary>
    Greeting,
    Ready,
    Stopped,
}

/// <summary>
/// The one connection. Invariant: its number grows with each attempt; at most one is not Idle or Stopped.
/// </summary>
internal sealed class Link
{
    public LinkPhase Phase { get; set; } = LinkPhase.Idle;

    public int Number { get; set; }

    public string Endpoint { get; set; } = "";

    /// <summary>Where the next attempt goes.</summary>
    public int NextEndpoint { get; set; }

    /// <summary>An address that a silo named as the leader's: tried once, before the others.</summary>
    public string? Hint { get; set; }

    /// <summary>Links in a row over which nothing was achieved.</summary>
    public int Failures { get; set; }

    /// <summary>Refusals in a row on this link that were the silo's own trouble.</summary>
    public int Refusals { get; set; }

    public TimeSpan NotBefore { get; set; } = TimeSpan.MinValue;

    /// <summary>Answers that should come soon.</summary>
    public int Expected { get; set; }

    /// <summary>When the silo was last heard, or first owed an answer.</summary>
    public TimeSpan SilentSince { get; set; }
}
