using Coordinator.Contracts;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>A peer that runs on another silo, as that silo has told of it.</summary>
/// <param name="IsStopping">Nothing is to be handed over to it.</param>
internal sealed record ToldPeer(SiloAddress Silo, bool IsStopping, GroupFact Fact);
