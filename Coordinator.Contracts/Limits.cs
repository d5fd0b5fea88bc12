namespace Coordinator.Contracts;

/// <summary>The bounds that every silo and client agrees on. What is past one gets a named error and changes nothing.</summary>
public static class Limits
{
    /// <summary>Longest name or key, in bytes of UTF-8.</summary>
    public const int NameBytesMax = 1024;

    /// <summary>Longest label, session metadata or content type, in bytes of UTF-8.</summary>
    public const int LabelBytesMax = 1024;

    /// <summary>Largest configuration value, in bytes.</summary>
    public const int ValueBytesMax = 1024 * 1024;

    /// <summary>Largest request, in bytes, over any interface.</summary>
    public const int RequestBytesMax = 1024 * 1024 + 512 * 1024;

    /// <summary>Most compares and operations of one transaction, all together.</summary>
    public const int TransactionOperationsMax = 128;

    /// <summary>Most bytes of entries that the gets of one transaction answer with: the answer fits a frame.</summary>
    public const int TransactionAnswerBytesMax = 1024 * 1024 + 256 * 1024;

    public static readonly TimeSpan TtlMin = TimeSpan.FromMilliseconds(500);
    public static readonly TimeSpan TtlMax = TimeSpan.FromDays(1);

    /// <summary>Longest bounded wait; an unbounded wait has no limit but its session's life.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromDays(1);

    /// <summary>Longest maximum hold.</summary>
    public static readonly TimeSpan HoldMax = TimeSpan.FromDays(1);

    /// <summary>Longest time that nobody is granted a resource after its holder's death.</summary>
    public static readonly TimeSpan LockDelayMax = TimeSpan.FromMinutes(1);

    /// <summary>Most resources that one request acquires together.</summary>
    public const int ResourcesPerRequestMax = 32;

    /// <summary>Most permits of a semaphore.</summary>
    public const int PermitsMax = 1_000_000;

    /// <summary>Most peers of a group, learners included, that an operator can have.</summary>
    public const int PeersPerGroupMax = 9;

    /// <summary>Most groups of a cluster.</summary>
    public const int GroupsMax = 1024;

    /// <summary>Most items on one page of a listing.</summary>
    public const int PageItemsMax = 1000;

    /// <summary>Bytes of values after which a page of a listing ends early.</summary>
    public const int PageBytesMax = 1024 * 1024;

    public const int ProtocolVersion = 1;

    /// <summary>Most bytes in one WebSocket message.</summary>
    public const int MessageBytesMax = 64 * 1024;

    /// <summary>A frame over this travels as fragments of at most this many bytes.</summary>
    public const int FragmentBytesMax = 32 * 1024;
}
