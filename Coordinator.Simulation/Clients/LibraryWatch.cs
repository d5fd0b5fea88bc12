using Coordinator.Client.Machine;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// A stream of the library and its consumer, who takes what has arrived one after the other, at a pace of his own.
/// Invariant: what is taken was delivered to him, in order.
/// </summary>
internal abstract class LibraryWatch(SimulatedClient client, StreamOperation stream, Prng random)
{
    private readonly Queue<StreamItem> _arrived = new();
    private readonly long _paceUs = random.Chance(0.5) ? 1 : random.Skewed(1_000, 1_500_000);

    public SimulatedClient Client { get; } = client;

    public StreamOperation Stream { get; } = stream;

    /// <summary>From now on he is quick, whatever he was before.</summary>
    public bool IsQuick { get; set; }

    public bool IsOver { get; set; }

    /// <summary>Until he takes the next one, if there is one.</summary>
    public long PauseUs => IsQuick ? 1 : random.Between(1, 2 * _paceUs);

    /// <returns>Whether he has to be woken.</returns>
    public bool Arrived(StreamItem item)
    {
        _arrived.Enqueue(item);
        return _arrived.Count == 1;
    }

    public StreamItem First => _arrived.Peek();

    /// <returns>Whether there is more.</returns>
    public bool Taken()
    {
        _arrived.Dequeue();
        return _arrived.Count > 0;
    }

    /// <summary>Loses what has come last, as a channel does that is full.</summary>
    public bool IsFull => _arrived.Count >= 4;
}
