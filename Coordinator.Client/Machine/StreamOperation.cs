using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// Something that is told of again and again, until its caller leaves or the cluster says that it can't be told any
/// longer. Invariant: what was delivered moves the position, and whatever connection or silo comes next is asked from
/// there; so nothing is missing and nothing comes twice.
/// </summary>
internal abstract class StreamOperation : Operation
{
    /// <summary>A watcher may hear nothing for days.</summary>
    public override bool IsAnsweredSoon => false;

    /// <summary>Delivered and not yet taken by the consumer.</summary>
    public int WaitingItems { get; set; }

    /// <inheritdoc cref="WaitingItems"/>
    public long WaitingBytes { get; set; }

    /// <summary>Not on the wire until the consumer has caught up.</summary>
    public bool IsPaused { get; set; }

    /// <summary>What to ask for from here on; what was received by half is forgotten, and asked for again.</summary>
    public abstract Watch Resume();

    /// <summary>What a page without an error says that is new, in order; moves the position past it.</summary>
    public abstract IReadOnlyList<StreamItem> Take(WatchPage page);
}

/// <summary>The leader of an election, whenever it is another or has proclaimed.</summary>
internal sealed class ElectionStream(string name) : StreamOperation
{
    private ElectionState? _seen;

    public override Watch Resume() =>
        new() { Election = new ObserveElection { Name = name, Seen = _seen?.Clone() } };

    public override IReadOnlyList<StreamItem> Take(WatchPage page)
    {
        if (page.Election is not { } state || state.Equals(_seen))
            return [];
        _seen = state;
        return [new StreamItem.Election(state)];
    }
}

/// <summary>
/// All that a session holds, whenever something ends or is asked back. Taken up again on another connection it is told
/// anew: the list is small, and whoever keeps a copy of it can check that copy.
/// </summary>
internal sealed class SessionStream(long sessionId) : StreamOperation
{
    private long _notice;

    /// <summary>The session whose holdings the machine itself compares with what is told; otherwise null.</summary>
    public Session? Session { get; init; }

    public override Watch Resume() => new() { Session = new ObserveSession { SessionId = sessionId } };

    public override IReadOnlyList<StreamItem> Take(WatchPage page)
    {
        if (page.Session is not { } notices || notices.Notice < _notice)
            return [];
        _notice = notices.Notice;
        return [new StreamItem.Session(notices)];
    }
}
