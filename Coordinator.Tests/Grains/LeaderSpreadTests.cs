using Coordinator.Grains;

namespace Coordinator.Tests.Grains;

public sealed class LeaderSpreadTests
{
    [Fact]
    public void Who_leads_two_more_than_another_gives_one_up()
    {
        SpreadStep? step = LeaderSpread.Next("a", Led(("a", 2), ("b", 1), ("c", 0)), Movable("b", "c"));
        Assert.Equal(new SpreadStep(0, "c", 2), step);
    }

    [Fact]
    public void One_more_is_spread_well_enough() =>
        Assert.Null(LeaderSpread.Next("a", Led(("a", 2), ("b", 1), ("c", 1)), Movable("b", "c")));

    [Fact]
    public void Only_who_leads_most_gives_any_up()
    {
        var led = Led(("a", 4), ("b", 3), ("c", 0));
        Assert.NotNull(LeaderSpread.Next("a", led, Movable("b", "c")));
        Assert.Null(LeaderSpread.Next("b", led, Movable("a", "c")));
    }

    [Fact]
    public void Of_two_who_lead_as_many_one_gives_up()
    {
        var led = Led(("a", 3), ("b", 3), ("c", 0));
        Assert.NotNull(LeaderSpread.Next("a", led, Movable("b", "c")));
        Assert.Null(LeaderSpread.Next("b", led, Movable("a", "c")));
    }

    [Fact]
    public void A_silo_that_is_down_or_has_no_voter_gets_none()
    {
        Assert.Null(LeaderSpread.Next("a", Led(("a", 3), ("b", 2)), Movable("b", "c")));
        Assert.Null(LeaderSpread.Next("a", Led(("a", 3), ("b", 2), ("c", 0)), Movable("b")));
    }

    [Fact]
    public void Step_by_step_any_distribution_ends_with_a_difference_of_one_at_most()
    {
        string[] silos = ["a", "b", "c", "d", "e"];
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            string[] leaders = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => silos[random.Next(silos.Length)])];
            for (int steps = 0; Step(silos, leaders) is { } step; steps++)
            {
                Assert.True(steps < leaders.Length);
                leaders[step.Group] = step.Silo;
            }
            int[] counts = [.. silos.Select(silo => leaders.Count(leader => leader == silo))];
            Assert.InRange(counts.Max() - counts.Min(), 0, 1);
        }
    }

    /// <summary>At most one of the silos takes one.</summary>
    private static SpreadStep? Step(string[] silos, string[] leaders)
    {
        var led = silos.ToDictionary(silo => silo, silo => leaders.Count(leader => leader == silo));
        SpreadStep?[] steps = [.. silos
            .Select(own => LeaderSpread.Next(
                own, led,
                [.. leaders.Index().Where(one => one.Item == own).Select(one => new MovableGroup(one.Index, silos))]))
            .Where(step => step is not null)];
        Assert.InRange(steps.Length, 0, 1);
        return steps.FirstOrDefault();
    }

    private static Dictionary<string, int> Led(params (string Silo, int Count)[] led) =>
        led.ToDictionary(one => one.Silo, one => one.Count);

    private static MovableGroup[] Movable(params string[] silos) => [new MovableGroup(0, silos), new MovableGroup(1, silos)];
}
