using Coordinator.Contracts;
using Coordinator.Contracts.Framing;

namespace Coordinator.Silo.Links;

/// <summary>The sizes on a link. Invariant: a bulky frame's piece and any small frame fit in one message together.</summary>
internal static class LinkLimits
{
    public const int ProtocolVersion = 1;

    public const int ProcessBytes = 16;
    public const int ChallengeBytes = 32;

    /// <summary>Whoever has not proved anything yet is not listened to for longer than this.</summary>
    public const int HandshakeMessageBytesMax = 4096;

    /// <summary>What a message has room for, its seal apart.</summary>
    public const int MessageFramesBytesMax = Limits.MessageBytesMax - LinkSeal.Bytes;

    /// <summary>One bulky lane's share of a message, headers included.</summary>
    public const int BulkShareBytes = MessageFramesBytesMax / 2;

    /// <summary>A frame over this goes in pieces.</summary>
    public const int SmallFrameBytesMax = BulkShareBytes - FrameLimits.HeaderBytes;

    /// <summary>Header, tags, id and lengths of a frame that carries a piece.</summary>
    public const int PieceOverheadBytes = FrameLimits.HeaderBytes + 32;

    /// <summary>Less room than this at a message's end is left empty: so small a piece costs more than it carries.</summary>
    public const int PieceRoomMin = 4096;
}
