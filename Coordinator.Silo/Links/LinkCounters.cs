namespace Coordinator.Silo.Links;

/// <summary>What went over one link, through all its connections.</summary>
internal sealed class LinkCounters
{
    private long _messagesSent;
    private long _bytesSent;
    private long _messagesReceived;
    private long _bytesReceived;
    private long _dropped;

    public void Sent(int bytes)
    {
        Interlocked.Increment(ref _messagesSent);
        Interlocked.Add(ref _bytesSent, bytes);
    }

    public void Received(int bytes)
    {
        Interlocked.Increment(ref _messagesReceived);
        Interlocked.Add(ref _bytesReceived, bytes);
    }

    /// <summary>A peer's message that could not be sent.</summary>
    public void Dropped() => Interlocked.Increment(ref _dropped);

    public LinkStatus Read(bool isUp) => new(
        isUp, Interlocked.Read(ref _messagesSent), Interlocked.Read(ref _bytesSent),
        Interlocked.Read(ref _messagesReceived), Interlocked.Read(ref _bytesReceived), Interlocked.Read(ref _dropped));
}
