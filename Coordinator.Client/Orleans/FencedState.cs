using Orleans;

namespace Coordinator.Client.Orleans;

/// <summary>
/// What a <see cref="FencedGrain"/> stores: its value, stamped with the fencing token of the activation that wrote it.
/// Tokens in a storage only grow.
/// </summary>
[GenerateSerializer]
[Alias("Coordinator.FencedState`1")]
public sealed class FencedState<T>
{
    [Id(0)]
    public long Token { get; set; }

    [Id(1)]
    public T? Value { get; set; }
}
