namespace Coordinator.Client.Machine;

/// <summary>
/// A lock that was granted to one of the client's sessions. Invariant: in its session's list exactly while neither
/// released nor lost.
/// </summary>
internal sealed class Holding(Session session, string name, long token)
{
    public Session Session { get; } = session;

    public string Name { get; } = name;

    public long Token { get; } = token;

    /// <summary>Null once a release is under way or the session is lost.</summary>
    public LinkedListNode<Holding>? Node { get; set; }
}
