using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Silo.Links;

/// <summary>Something to be sent on a link, and how much it counts for the limit. A closed set.</summary>
internal abstract record LinkItem(long CountedBytes)
{
    internal sealed record Peer(Envelope Envelope, long CountedBytes) : LinkItem(CountedBytes);

    internal sealed record Snapshot(Envelope Envelope) : LinkItem(0);

    internal sealed record Forward(LinkFrame Frame, int Bytes) : LinkItem(Bytes);

    /// <summary>The link's own few words: never counted, never dropped.</summary>
    internal sealed record Own(LinkFrame Frame) : LinkItem(0);

    public static Peer Of(Envelope envelope) => new(envelope, EstimatedBytes(envelope.Message));

    // Near the encoded size, without encoding it: this runs on the peer's own loop.
    private static long EstimatedBytes(Message message)
    {
        long bytes = 128 + message.Context.Length;
        foreach (ref readonly Entry entry in message.Entries.Span)
            bytes += 32 + entry.Data.Length;
        return bytes;
    }
}
