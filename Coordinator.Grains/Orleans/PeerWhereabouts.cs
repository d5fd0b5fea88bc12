using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.GrainDirectory;
using Orleans.Runtime.MembershipService.SiloMetadata;
using MemberStatus = Orleans.Runtime.SiloStatus;

namespace Coordinator.Grains.Orleans;

/// <summary>Which silos live that can have peers, in which zone each is, and where the peers are registered.</summary>
internal sealed class PeerWhereabouts(
    PeerPlaces places, ISiloStatusOracle silos, IClusterManifestProvider manifests, IServiceProvider services,
    [FromKeyedServices(OrleansGroups.ProviderName)] IGrainDirectory directory)
{
    /// <summary>The key of a silo's metadata that names its zone.</summary>
    public const string ZoneKey = "zone";

    private readonly ISiloMetadataCache? _metadata = services.GetService<ISiloMetadataCache>();

    public SiloAddress Own => silos.SiloAddress;

    /// <summary>All live silos that run the grain of peers, in one order on all of them.</summary>
    public IReadOnlyList<Spot<SiloAddress>> Spots()
    {
        var type = GrainType.Create(PeerPlaces.GrainTypeName);
        var able = manifests.Current.Silos.Where(silo => silo.Value.Grains.ContainsKey(type)).Select(silo => silo.Key).ToHashSet();
        return SpotsOf([.. silos.GetActiveSilos().Where(able.Contains)]);
    }

    public IReadOnlyList<Spot<SiloAddress>> SpotsOf(IReadOnlyList<SiloAddress> live) =>
        [.. live.Order().Select(silo => new Spot<SiloAddress>(silo, ZoneOf(silo)))];

    /// <summary>The peers of the group that are registered on a silo that lives.</summary>
    public async Task<IReadOnlyDictionary<PeerId, SiloAddress>> ReadAsync(int group)
    {
        IReadOnlyList<PeerId> peers = places.PeersOf(group);
        GrainAddress?[] found = await Task.WhenAll(peers.Select(peer => directory.Lookup(PeerPlaces.GrainOf(group, peer))));
        var placed = new Dictionary<PeerId, SiloAddress>();
        foreach ((PeerId peer, GrainAddress? address) in peers.Zip(found))
        {
            if (address?.SiloAddress is { } silo && silos.GetApproximateSiloStatus(silo) == MemberStatus.Active)
                placed[peer] = silo;
        }
        return placed;
    }

    /// <summary>All of the group that are known here, and this one.</summary>
    public IReadOnlyList<PeerId> PeersWith(PeerKey key) =>
        [.. places.PeersOf(key.Group).Append(key.Peer).Distinct().Order()];

    private string ZoneOf(SiloAddress silo) =>
        _metadata?.GetSiloMetadata(silo).Metadata.GetValueOrDefault(ZoneKey) ?? "";
}
