using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>What an entry made of a key. Invariant: those of one key rise in revision, and never fall in index.</summary>
/// <param name="Entry">Null: it was deleted.</param>
internal sealed record ConfigVersion(long Index, long Revision, ConfigEntry? Entry);
