namespace Coordinator.Client.Machine;

/// <summary>
/// A lease that was granted to this client. Invariant: once over, never valid again; its life counts from the sending
/// of the request that was answered last, as a session's does (rule 13).
/// </summary>
internal sealed class Lease(string name, long id, TimeSpan ttl, bool isRenewed)
{
    public string Name { get; } = name;

    /// <summary>Its fencing token.</summary>
    public long Id { get; } = id;

    public TimeSpan Ttl { get; } = ttl;

    /// <summary>The machine renews it by itself.</summary>
    public bool IsRenewed { get; } = isRenewed;

    public required SessionLifetime Lifetime { get; set; }

    public bool IsOver { get; set; }

    /// <summary>A renewal has no answer yet: it repeats itself.</summary>
    public bool IsRenewing { get; set; }

    /// <summary>The host's own side of this lease.</summary>
    public object? Host { get; set; }

    public TimeSpan RenewalDueIn(ClientInstant now) =>
        !IsRenewed || IsRenewing ? TimeSpan.MaxValue : Lifetime.Validity / 3 - now.Since(Lifetime.Start);
}
