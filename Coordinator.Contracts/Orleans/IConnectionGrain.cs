using Orleans;
using Orleans.Concurrency;

namespace Coordinator.Contracts.Orleans;

/// <summary>
/// A client's connection, carried by grain calls in place of a WebSocket: the same messages of the same frames
/// (wire.proto), in both directions. The key is the client's own, for one connection. Invariant: a message is numbered,
/// and one that is missing ends the connection, as a broken WebSocket does.
/// </summary>
[Alias("Coordinator.Connection")]
public interface IConnectionGrain : IGrainWithGuidKey
{
    /// <summary>Hands over the next message of the client; the first opens the connection.</summary>
    /// <param name="number">Counted from 0.</param>
    [Alias("Send")]
    Task SendAsync(long number, [Immutable] byte[] message);

    /// <summary>Waits a few seconds for the next message to the client.</summary>
    /// <param name="number">Counted from 0.</param>
    /// <returns>Null: there is none yet, ask again. Empty: there will be none.</returns>
    [Alias("Receive")]
    [ResponseTimeout("00:00:30")]
    Task<byte[]?> ReceiveAsync(long number);

    /// <summary>The client sends no more, and wants no more.</summary>
    [Alias("Close")]
    [OneWay]
    Task CloseAsync();
}
