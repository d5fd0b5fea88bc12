using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// What the machine asks its host to do, in order. A link's number tells one connection from the next: what is heard
/// of an earlier one counts for nothing.
/// </summary>
internal abstract record ClientEffect
{
    private ClientEffect()
    {
    }

    /// <summary>To be answered with Connected or Disconnected.</summary>
    public sealed record Connect(int Link, string Endpoint) : ClientEffect;

    public sealed record Disconnect(int Link) : ClientEffect;

    public sealed record Send(int Link, ClientFrame Frame) : ClientEffect;

    public sealed record SessionOpened(Session Session, SessionLifetime Lifetime) : ClientEffect;

    public sealed record SessionExtended(Session Session, SessionLifetime Lifetime) : ClientEffect;

    /// <summary>Comes before everything that follows from it: holders hear first that they hold nothing.</summary>
    public sealed record SessionLost(Session Session, string Reason) : ClientEffect;

    /// <summary>The session lives on, but this is not held any more.</summary>
    public sealed record HoldingLost(Holding Holding, string Reason) : ClientEffect;

    /// <summary>Somebody would have it released; nothing has changed.</summary>
    public sealed record ReleaseRequested(Holding Holding, string Reason) : ClientEffect;

    public sealed record LeaseExtended(Lease Lease, SessionLifetime Lifetime) : ClientEffect;

    public sealed record LeaseLost(Lease Lease, string Reason) : ClientEffect;

    /// <summary>To be taken by the stream's consumer, after all that arrived before; the machine is told when it was.</summary>
    public sealed record Arrived(object Caller, StreamItem Item) : ClientEffect;

    public sealed record Completed(object Caller, Completion Completion) : ClientEffect;

    public sealed record Logged(ClientEvent Event) : ClientEffect;

    /// <summary>After a shutdown, last: the host closes the link, if there is one.</summary>
    public sealed record Stopped : ClientEffect;
}
