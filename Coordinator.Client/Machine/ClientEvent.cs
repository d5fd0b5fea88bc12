using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>What an operator of the client's process may want to read; nothing hangs on it.</summary>
internal abstract record ClientEvent
{
    private ClientEvent()
    {
    }

    public sealed record Connected(string Endpoint, string SiloId) : ClientEvent;

    /// <summary>The connection broke, or did not come about; another is tried when it is needed.</summary>
    /// <param name="IsRepeated">All endpoints have been tried since the last good answer.</param>
    public sealed record NotConnected(string Endpoint, string Reason, bool IsRepeated) : ClientEvent;

    public sealed record SessionOpened(long SessionId, TimeSpan Ttl) : ClientEvent;

    public sealed record SessionRefused(ErrorCode Code, string Reason) : ClientEvent;

    /// <param name="IsStopping">By the client's own end, as its user wanted it.</param>
    public sealed record SessionLost(long SessionId, string Reason, bool IsStopping) : ClientEvent;

    /// <summary>Forced releases and requests for a release are not heard of in it.</summary>
    public sealed record SessionNotObserved(long SessionId, ErrorCode Code, string Reason) : ClientEvent;

    public sealed record HoldingLost(string Name, long Token, string Reason) : ClientEvent;

    public sealed record ReleaseRequested(string Name, long Token, string Reason) : ClientEvent;

    /// <summary>It is asked for again.</summary>
    public sealed record ReleaseRefused(ErrorCode Code, string Reason) : ClientEvent;

    /// <inheritdoc cref="SessionLost"/>
    public sealed record LeaseLost(string Name, long Token, string Reason, bool IsStopping) : ClientEvent;
}
