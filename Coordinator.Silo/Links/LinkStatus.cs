namespace Coordinator.Silo.Links;

/// <summary>How one link is, and what went over it since this process began.</summary>
/// <param name="MessagesSent">Of the WebSocket, each with many frames; the link's own few words included.</param>
/// <param name="PeerMessagesDropped">The queue was full, or there was no link.</param>
public sealed record LinkStatus(
    bool IsUp, long MessagesSent, long BytesSent, long MessagesReceived, long BytesReceived, long PeerMessagesDropped);
