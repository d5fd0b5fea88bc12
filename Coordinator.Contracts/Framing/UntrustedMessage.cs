using Google.Protobuf;

namespace Coordinator.Contracts.Framing;

/// <summary>
/// Reads a message that somebody else has sent. Invariant: whatever the bytes are, it is a message or a problem with a
/// name, and nothing is thrown.
/// </summary>
/// <remarks>
/// Google.Protobuf promises <see cref="InvalidProtocolBufferException"/>, and breaks that: a length close to 2³¹ within a
/// nested message overflows its limits, and the read that follows ends as an <see cref="IndexOutOfRangeException"/> or an
/// <see cref="ArgumentException"/> (protocolbuffers/protobuf issue 26856, in all versions so far).
/// </remarks>
public static class UntrustedMessage
{
    /// <returns>Null if it is none; <paramref name="problem"/> then says why.</returns>
    public static T? TryParse<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes, out string? problem)
        where T : class, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(parser);
        problem = null;
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException or ArgumentException)
        {
            problem = e is InvalidProtocolBufferException ? e.Message : "A length in it goes beyond its end.";
            return null;
        }
    }
}
