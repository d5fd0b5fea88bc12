using System.Buffers.Binary;
using Google.Protobuf;

namespace Coordinator.Contracts.Framing;

/// <summary>
/// Reads the frames out of one connection's messages, fragments put together. Invariant: after an error it is not
/// used again. Unknown fields are dropped: what this version doesn't understand must not reach the log through it.
/// </summary>
public sealed class FrameDecoder<T> where T : class, IMessage<T>
{
    private readonly MessageParser<T> _parser;
    private readonly Func<T, Fragment?> _fragmentOf;
    private readonly Reassembler _reassembler;

    internal FrameDecoder(MessageParser<T> parser, Func<T, Fragment?> fragmentOf, ReassemblyLimits limits)
    {
        _parser = parser.WithDiscardUnknownFields(true);
        _fragmentOf = fragmentOf;
        _reassembler = new Reassembler(limits);
    }

    /// <summary>Adds the frames of <paramref name="message"/> to <paramref name="frames"/>, in order.</summary>
    /// <returns>Null, or what is wrong; the frames before it have been added.</returns>
    public FramingError? Decode(ReadOnlySpan<byte> message, ICollection<T> frames)
    {
        ArgumentNullException.ThrowIfNull(frames);
        if (message.IsEmpty)
            return new FramingError(ErrorCode.InvalidRequest, "A message holds no frame.");
        if (message.Length > Limits.MessageBytesMax)
            return new FramingError(ErrorCode.RequestTooLarge, $"A message is over {Limits.MessageBytesMax} bytes.");
        while (!message.IsEmpty)
        {
            if (LengthProblem(message, out int length) is { } problem)
                return problem;
            ReadOnlySpan<byte> frame = message.Slice(FrameLimits.HeaderBytes, length);
            message = message[(FrameLimits.HeaderBytes + length)..];
            if (DecodeFrame(frame, frames) is { } error)
                return error;
        }
        return null;
    }

    private static FramingError? LengthProblem(ReadOnlySpan<byte> message, out int length)
    {
        length = 0;
        if (message.Length < FrameLimits.HeaderBytes)
            return new FramingError(ErrorCode.InvalidRequest, "A message ends inside a frame's length.");
        uint stated = BinaryPrimitives.ReadUInt32LittleEndian(message);
        if (stated > FrameLimits.FrameBytesMax)
            return new FramingError(ErrorCode.RequestTooLarge,
                $"A frame states {stated} bytes; over {FrameLimits.FrameBytesMax} it has to come as fragments.");
        length = (int)stated;
        return message.Length - FrameLimits.HeaderBytes < length
            ? new FramingError(ErrorCode.InvalidRequest, $"A message ends inside a frame of {length} bytes.")
            : null;
    }

    private FramingError? DecodeFrame(ReadOnlySpan<byte> bytes, ICollection<T> frames)
    {
        if (Parse(bytes, out T? frame) is { } error)
            return error;
        if (_fragmentOf(frame!) is not { } piece)
        {
            frames.Add(frame!);
            return null;
        }
        if (_reassembler.Add(piece, out ReadOnlyMemory<byte>? completed) is { } refused)
            return refused;
        if (completed is not { } whole)
            return null;
        if (Parse(whole.Span, out frame) is { } damaged)
            return damaged;
        if (_fragmentOf(frame!) is not null)
            return new FramingError(ErrorCode.InvalidRequest, "A fragment holds a fragment.");
        frames.Add(frame!);
        return null;
    }

    private FramingError? Parse(ReadOnlySpan<byte> bytes, out T? frame)
    {
        frame = UntrustedMessage.TryParse(_parser, bytes, out string? problem);
        return frame is null
            ? new FramingError(ErrorCode.InvalidRequest, $"A frame is not a {typeof(T).Name}: {problem}")
            : null;
    }
}

/// <summary>The two directions of a client's connection, and a link between silos.</summary>
public static class FrameDecoder
{
    public static FrameDecoder<LinkFrame> ForLink(ReassemblyLimits limits) =>
        new(LinkFrame.Parser, frame => frame.Fragment, limits);

    public static FrameDecoder<ClientFrame> ForSilo(ReassemblyLimits? limits = null) =>
        new(ClientFrame.Parser, frame => frame.Fragment, limits ?? ReassemblyLimits.Requests);

    public static FrameDecoder<ServerFrame> ForClient(ReassemblyLimits? limits = null) =>
        new(ServerFrame.Parser, frame => frame.Fragment, limits ?? ReassemblyLimits.Answers);
}
