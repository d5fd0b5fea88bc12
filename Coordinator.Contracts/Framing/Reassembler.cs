using System.Buffers;

namespace Coordinator.Contracts.Framing;

/// <summary>
/// Puts the fragments of one connection together again. Invariant: it never holds more bytes, nor more frames, than
/// its limits; a peer that goes past one is told so, and the connection ends.
/// </summary>
public sealed class Reassembler(ReassemblyLimits limits)
{
    private readonly Dictionary<long, ArrayBufferWriter<byte>> _underWay = [];

    /// <summary>Bytes of unfinished frames.</summary>
    public int PendingBytes { get; private set; }

    /// <summary>Takes the next piece of a frame.</summary>
    /// <param name="completed">The whole frame, if this was its last piece.</param>
    /// <returns>Null, or why the piece is refused.</returns>
    public FramingError? Add(Fragment piece, out ReadOnlyMemory<byte>? completed)
    {
        ArgumentNullException.ThrowIfNull(piece);
        completed = null;
        if (piece.Data.IsEmpty)
            return new FramingError(ErrorCode.InvalidRequest, $"Fragment {piece.Id} carries no data.");
        if (!_underWay.TryGetValue(piece.Id, out ArrayBufferWriter<byte>? buffer))
        {
            if (_underWay.Count == FrameLimits.InterleavedFramesMax)
                return new FramingError(ErrorCode.RequestTooLarge,
                    $"More than {FrameLimits.InterleavedFramesMax} frames are under way as fragments.");
            _underWay.Add(piece.Id, buffer = new ArrayBufferWriter<byte>());
        }
        if (buffer.WrittenCount + piece.Data.Length > limits.FrameBytesMax)
            return new FramingError(ErrorCode.RequestTooLarge, $"A frame is over {limits.FrameBytesMax} bytes.");
        if (PendingBytes + piece.Data.Length > limits.TotalBytesMax)
            return new FramingError(ErrorCode.RequestTooLarge,
                $"The frames under way as fragments are over {limits.TotalBytesMax} bytes.");
        buffer.Write(piece.Data.Span);
        PendingBytes += piece.Data.Length;
        if (!piece.Last)
            return null;
        _underWay.Remove(piece.Id);
        PendingBytes -= buffer.WrittenCount;
        completed = buffer.WrittenMemory;
        return null;
    }
}
