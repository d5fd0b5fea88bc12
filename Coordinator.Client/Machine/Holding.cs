using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// What one acquire was granted to one of the client's sessions: one resource, or several together. Invariant: in its
/// session's list exactly while neither released nor lost.
/// </summary>
internal sealed class Holding(Session session, AcquireRequest request, IReadOnlyList<LockLine> lines)
{
    public Session Session { get; } = session;

    public AcquireRequest Request { get; } = request;

    /// <summary>The client's own lines that it occupies.</summary>
    public IReadOnlyList<LockLine> Lines { get; } = lines;

    public string Name => Request.Names[0];

    /// <summary>Of its acquire.</summary>
    public required long RequestId { get; init; }

    /// <summary>Another one after an upgrade.</summary>
    public long Token { get; set; }

    /// <summary>Of each resource, the lowest token still held on it at the grant.</summary>
    public IReadOnlyList<long> Floors { get; set; } = [];

    public bool IsShared { get; set; } = request.IsShared;

    /// <summary>How long it is certain to be held, apart from its session; null without a maximum.</summary>
    public SessionLifetime? Lifetime { get; set; }

    /// <summary>Its holder was told that others would have it released.</summary>
    public bool IsReleaseRequested { get; set; }

    /// <summary>Whose caller gets it once it is known how much of its maximum is left; null once handed out.</summary>
    public AcquireOperation? Unmeasured { get; set; }

    /// <summary>The host's own side of this holding.</summary>
    public object? Host { get; set; }

    /// <summary>Null once a release is under way, or it or the session is lost.</summary>
    public LinkedListNode<Holding>? Node { get; set; }

    /// <summary>Its releases that are not confirmed, one for each resource; the caller, if there is one, waits for the first.</summary>
    public List<ReleaseOperation> Releasing { get; } = [];

    public void Take(CommandResult result)
    {
        Token = result.Token;
        Floors = [result.Floor, .. result.AlsoFloors];
    }

    public ReleaseLock ToReleaseLock(int part) => new()
    {
        Kind = Request.Kind,
        Name = Request.Names[part],
        Token = Token,
        Permits = Request.Permits,
    };
}
