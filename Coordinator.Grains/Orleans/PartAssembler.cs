namespace Coordinator.Grains.Orleans;

/// <summary>
/// Puts messages together that came in parts, in whatever order. Invariant: one message for each sender, its latest, and
/// no more bytes than the bound.
/// </summary>
internal sealed class PartAssembler
{
    public const int PartBytes = 256 * 1024;

    private const int PartsMax = 16_384;

    private readonly Dictionary<long, Message> _messages = [];

    /// <returns>The whole message, with its last missing part.</returns>
    /// <exception cref="ArgumentException">No such part can be.</exception>
    public byte[]? Add(long sender, long number, int part, int parts, byte[] bytes)
    {
        if (parts is < 1 or > PartsMax || part < 0 || part >= parts || bytes.Length > PartBytes)
            throw new ArgumentException($"There is no part {part} of {parts} with {bytes.Length} bytes.", nameof(part));
        if (!_messages.TryGetValue(sender, out Message? message) || message.Number < number)
            _messages[sender] = message = new Message(number, new byte[parts][]);
        if (message.Number != number || message.Parts.Length != parts || message.Parts[part] is not null)
            return null;
        message.Parts[part] = bytes;
        if (++message.Count < parts)
            return null;
        _messages.Remove(sender);
        return [.. message.Parts.SelectMany(one => one!)];
    }

    public static IEnumerable<byte[]> Split(byte[] message) => message.Chunk(PartBytes);

    private sealed class Message(long number, byte[]?[] parts)
    {
        public long Number => number;

        public byte[]?[] Parts => parts;

        public int Count { get; set; }
    }
}
