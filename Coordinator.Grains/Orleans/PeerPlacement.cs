using Coordinator.Raft;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Coordinator.Grains.Orleans;

/// <summary>Peers are placed by <see cref="PeerPlacementDirector"/>.</summary>
[Serializable]
public sealed class PeerPlacement : PlacementStrategy
{
    internal static PeerPlacement Instance { get; } = new();
}

/// <inheritdoc cref="PeerPlacement"/>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class PeerPlacementAttribute() : PlacementAttribute(PeerPlacement.Instance);

/// <summary>
/// Spreads the peers of each group over the silos. Invariant: where the others are is read from the directory in PostgreSQL,
/// in which they are registered, and not from a memory that a silo's death leaves behind the truth.
/// </summary>
internal sealed class PeerPlacementDirector(PeerWhereabouts whereabouts) : IPlacementDirector
{
    public async Task<SiloAddress> OnAddActivation(
        PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        if (PeerPlaces.ParseKey(target.GrainIdentity.Key.ToString()!) is not { } key)
            throw new ArgumentException($"{target.GrainIdentity} is no peer.");
        SiloAddress[] able = context.GetCompatibleSilos(target);
        IReadOnlyList<Spot<SiloAddress>> spots = whereabouts.SpotsOf(able);
        IReadOnlyDictionary<PeerId, SiloAddress> placed = await whereabouts.ReadAsync(key.Group);
        // Of a peer that is moved, the balancer has said where to.
        return IPlacementDirector.GetPlacementHint(target.RequestContextData, able) is { } wanted
            && PeerSpread.MayHave(wanted, key.Peer, spots, placed)
                ? wanted
                : PeerSpread.Choose(key, spots, placed, whereabouts.PeersWith(key));
    }
}
