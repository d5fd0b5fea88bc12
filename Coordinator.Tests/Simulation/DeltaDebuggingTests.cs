using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

public sealed class DeltaDebuggingTests
{
    private static readonly int[] Hundred = [.. Enumerable.Range(0, 100)];

    [Fact]
    public void What_is_needed_is_found_and_all_else_dropped()
    {
        IReadOnlyList<int> smallest = DeltaDebugging.Minimize(Hundred, some => some.Contains(17) && some.Contains(63) && some.Contains(64));
        Assert.Equal([17, 63, 64], smallest);
    }

    [Fact]
    public void Where_nothing_is_needed_nothing_is_left() => Assert.Empty(DeltaDebugging.Minimize(Hundred, _ => true));

    [Fact]
    public void Where_all_is_needed_all_is_kept() =>
        Assert.Equal(Hundred, DeltaDebugging.Minimize(Hundred, some => some.Count == Hundred.Length));

    [Fact]
    public void No_single_item_can_be_taken_away_from_what_is_left()
    {
        IReadOnlyList<int> smallest = DeltaDebugging.Minimize(Hundred, Fails);
        Assert.True(Fails(smallest));
        Assert.All(smallest, item => Assert.False(Fails([.. smallest.Except([item])])));

        // Two ways to fail, of which neither is a part of the other.
        static bool Fails(IReadOnlyList<int> some) => some.Count(item => item % 7 == 0) >= 5 || (some.Contains(1) && some.Contains(98));
    }
}
