using Coordinator.Tests.Links;

namespace Coordinator.Tests.EndToEnd.Chaos;

/// <summary>The links of a running cluster, each through a relay: a silo can be cut off from the others, one way or both.</summary>
internal sealed class ChaosNetwork : IAsyncDisposable
{
    private readonly Dictionary<(int Dialer, int Listener), LinkRelay> _relays = [];

    public ChaosNetwork()
    {
        foreach (int dialer in RunningCluster.All)
        {
            foreach (int listener in RunningCluster.All.Where(other => other != dialer))
                _relays[(dialer, listener)] = new LinkRelay(keepsWhatIsSaid: false);
        }
    }

    public Uri LinkOf(int dialer, int listener) => _relays[(dialer, listener)].Address;

    public void Connect(RunningCluster cluster)
    {
        foreach (((int _, int listener), LinkRelay relay) in _relays)
            relay.Target = cluster.LinkListener(listener);
    }

    /// <param name="silo">Nothing that it sends arrives, or nothing arrives at it, or both.</param>
    public void CutOff(int silo, bool outbound, bool inbound)
    {
        foreach (((int dialer, int listener), LinkRelay relay) in _relays)
        {
            if (dialer == silo)
                relay.GoSilent(fromDialer: outbound, fromListener: inbound);
            else if (listener == silo)
                relay.GoSilent(fromDialer: inbound, fromListener: outbound);
        }
    }

    public void Heal()
    {
        foreach (LinkRelay relay in _relays.Values)
            relay.Speak();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (LinkRelay relay in _relays.Values)
            await relay.DisposeAsync();
    }
}
