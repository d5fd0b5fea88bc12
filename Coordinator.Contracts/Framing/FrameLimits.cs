namespace Coordinator.Contracts.Framing;

/// <summary>The sizes on the wire. Invariant: two frames of the largest size fit in one message.</summary>
public static class FrameLimits
{
    /// <summary>The little-endian length before each frame.</summary>
    public const int HeaderBytes = sizeof(int);

    /// <summary>
    /// Largest frame in a message. With its header it fills half a message, so that a fragment and any other frame
    /// always travel together: neither can make the other wait for ever.
    /// </summary>
    public const int FrameBytesMax = Limits.FragmentBytesMax - HeaderBytes;

    /// <summary>Most bytes of data in a fragment: what its tags, id and lengths leave of a frame.</summary>
    public const int FragmentDataBytesMax = FrameBytesMax - 32;

    /// <summary>Most frames that one side sends as fragments at the same time; further large ones wait.</summary>
    public const int InterleavedFramesMax = 4;
}

/// <summary>How much a receiver is ready to put together from fragments.</summary>
/// <param name="FrameBytesMax">Of one frame.</param>
/// <param name="TotalBytesMax">Of all frames under way on a connection.</param>
public sealed record ReassemblyLimits(int FrameBytesMax, int TotalBytesMax)
{
    /// <summary>What a silo accepts: requests.</summary>
    public static ReassemblyLimits Requests { get; } = new(Limits.RequestBytesMax, 8 * 1024 * 1024);

    /// <summary>
    /// What a client accepts: a page of a listing is its values, one over the page, and all keys and content types.
    /// </summary>
    public static ReassemblyLimits Answers { get; } = new(8 * 1024 * 1024, 32 * 1024 * 1024);
}
