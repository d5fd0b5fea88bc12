using Orleans;
using Orleans.Concurrency;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// A peer of a group, wherever it is active; the key is "group/peer". Everything is bytes of the project's own messages:
/// what Orleans makes of types may change with its version, and the silos of a rolling upgrade have two.
/// </summary>
[Alias("Coordinator.RaftPeer")]
internal interface IRaftPeerGrain : IGrainWithStringKey
{
    /// <summary>A Raft message, for the inbox; lost where there is none now.</summary>
    [Alias("Receive")]
    [OneWay]
    Task ReceiveAsync([Immutable] byte[] envelope);

    /// <summary>
    /// A part of a message that carries a snapshot. Answered, unlike others: a leader sends nothing more to a follower
    /// whose snapshot is under way, so it has to know when one is lost.
    /// </summary>
    /// <returns>False: it is not taken here now.</returns>
    [Alias("ReceivePart")]
    Task<bool> ReceivePartAsync(long sender, long number, int part, int parts, [Immutable] byte[] bytes);

    /// <summary>A <c>ForwardedRequest</c>, served if the leader is in this silo.</summary>
    /// <returns>A <c>ForwardedAnswer</c>.</returns>
    [Alias("Ask")]
    [ResponseTimeout("1.01:00:00")] // A wait for a lock takes a day at most.
    Task<byte[]> AskAsync([Immutable] byte[] request, CancellationToken abandoned);

    /// <summary>Makes it active, if it is so nowhere; does nothing more.</summary>
    [Alias("Begin")]
    [ResponseTimeout("00:00:05")]
    Task BeginAsync();
}
