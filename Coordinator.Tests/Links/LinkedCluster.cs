using System.Net;
using System.Text;
using Coordinator.Silo.Links;

namespace Coordinator.Tests.Links;

/// <summary>The configuration of a few silos on loopback, with a relay in between for each direction of dialing.</summary>
internal sealed class LinkedCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string[] _ids;
    private readonly List<LinkedSilo> _silos = [];
    private readonly Dictionary<(string From, string To), LinkRelay> _relays = [];

    public LinkedCluster(params string[] ids)
    {
        _ids = ids;
        foreach (string from in ids)
        {
            foreach (string to in ids.Where(id => id != from))
                _relays[(from, to)] = new LinkRelay();
        }
    }

    public LinkRelay Relay(string from, string to) => _relays[(from, to)];

    public LinkOptions Options(string id) => new()
    {
        ClusterName = "test",
        SiloId = id,
        Secret = Encoding.UTF8.GetBytes("a secret of the tests' own"),
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        Peers = [.. _ids.Where(other => other != id).Select(other => new LinkPeer(other, Relay(id, other).Address))],
        PingInterval = TimeSpan.FromMilliseconds(200),
        DeadAfter = TimeSpan.FromSeconds(5),
        BackoffMax = TimeSpan.FromMilliseconds(200),
    };

    /// <summary>Starts a silo, at the address that the others have for it from now on.</summary>
    public async Task<LinkedSilo> StartAsync(
        string id, Func<LinkOptions, LinkOptions>? configure = null, Func<LinkHandlers, LinkHandlers>? handlers = null)
    {
        LinkedSilo silo = await StartAsideAsync(id, configure, handlers);
        foreach (string other in _ids.Where(other => other != id))
            Relay(other, id).Target = silo.Links.Address;
        return silo;
    }

    /// <summary>Starts a silo at an address that nobody has.</summary>
    public async Task<LinkedSilo> StartAsideAsync(
        string id, Func<LinkOptions, LinkOptions>? configure = null, Func<LinkHandlers, LinkHandlers>? handlers = null)
    {
        LinkOptions options = Options(id);
        LinkedSilo silo = await LinkedSilo.StartAsync(configure is null ? options : configure(options), handlers);
        _silos.Add(silo);
        return silo;
    }

    /// <summary>Starts all silos, and waits until they are linked.</summary>
    public async Task<LinkedSilo[]> StartAllAsync(Func<LinkOptions, LinkOptions>? configure = null)
    {
        List<LinkedSilo> silos = [];
        foreach (string id in _ids)
            silos.Add(await StartAsync(id, configure));
        await UntilLinkedAsync([.. silos]);
        return [.. silos];
    }

    public static Task UntilLinkedAsync(params LinkedSilo[] silos) => UntilAsync(() => silos.All(silo =>
        silos.Where(other => other != silo).All(other => silo.IsUp(other.Id))));

    public static async Task UntilAsync(Func<bool> holds)
    {
        long since = Environment.TickCount64;
        while (!holds())
        {
            Assert.True(Environment.TickCount64 - since < Patience.TotalMilliseconds, "It did not come to be.");
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (LinkedSilo silo in _silos)
            await silo.DisposeAsync();
        foreach (LinkRelay relay in _relays.Values)
            await relay.DisposeAsync();
    }
}
