namespace Coordinator.Replica.Storage;

/// <summary>What became of one <see cref="PeerWrite"/>. Everything but <see cref="Committed"/> ends the activation's
/// use of its storage until it has activated again (rule 4).</summary>
public enum WriteOutcome
{
    /// <summary>Durable, confirmed by the server without a warning.</summary>
    Committed,

    /// <summary>The row was there and free but did not match: another activation, another write_seq, or a lost vote.</summary>
    Fenced,

    /// <summary>The row was locked by somebody else; nothing was written.</summary>
    Busy,

    /// <summary>The connection broke or the server warned: it may have landed, or land later.</summary>
    Unknown,

    /// <summary>The server refused the statement: nothing was written.</summary>
    Failed,

    /// <summary>The peer has no row.</summary>
    Missing,
}
