using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Network;

/// <summary>
/// A connection between a client and a silo. Invariant: what arrives arrives once and in order; after the first byte that
/// is lost nothing more arrives. Either end may learn of that late.
/// </summary>
internal sealed class SimulatedStream(
    SimulatedNetwork network, EventQueue events, Prng random, int client, int silo, Action clientClosed, Action siloClosed)
{
    private long _lastToSiloUs;
    private long _lastToClientUs;

    public bool IsBroken { get; private set; }

    public void ToSilo(Action deliver) => Carry(client, silo, ref _lastToSiloUs, deliver);

    public void ToClient(Action deliver) => Carry(silo, client, ref _lastToClientUs, deliver);

    /// <summary>A reset that the other end hears of after a moment; or a silence, where the way there is gone as well, until the
    /// socket misses the answer to its pings.</summary>
    public void Break()
    {
        if (IsBroken)
            return;
        IsBroken = true;
        events.After(random.Chance(0.8) ? random.Between(500, 50_000) : random.Between(5_000, 20_000) * 1_000, clientClosed);
        events.After(random.Chance(0.8) ? random.Between(500, 50_000) : random.Between(1_000, 10_000) * 1_000, siloClosed);
    }

    private void Carry(int from, int to, ref long lastUs, Action deliver)
    {
        if (IsBroken)
            return;
        network.SendInOrder(from, to, ref lastUs, () =>
        {
            if (!IsBroken)
                deliver();
        }, Break);
    }
}
