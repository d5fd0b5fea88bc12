using Coordinator.Grains;

namespace Coordinator.Tests.Grains;

public sealed class LeaderSpreadTests
{
    private static readonly string[] Silos = ["a", "b", "c", "d", "e"];

    [Fact]
    public void Who_leads_two_more_than_another_gives_one_up()
    {
        SpreadPlan plan = LeaderSpread.Next("a", Led(("a", 2), ("b", 1), ("c", 0)), 0, Movable("a", "b", "c"));
        Assert.Equal([new SpreadStep(0, "c", 2)], plan.Steps);
    }

    [Fact]
    public void One_more_is_spread_well_enough()
    {
        SpreadPlan plan = LeaderSpread.Next("a", Led(("a", 2), ("b", 1), ("c", 1)), 0, Movable("a", "b", "c"));
        Assert.False(plan.IsUneven);
        Assert.Empty(plan.Steps);
    }

    [Fact]
    public void Only_who_leads_most_gives_any_up_and_the_others_know_that_it_does()
    {
        var led = Led(("a", 4), ("b", 3), ("c", 0));
        MovableGroup[] movable = [.. Movable("a", "b", "c"), .. Movable("b", "a", "c")];
        Assert.NotEmpty(LeaderSpread.Next("a", led, 0, movable).Steps);
        SpreadPlan other = LeaderSpread.Next("b", led, 0, movable);
        Assert.True(other.IsUneven);
        Assert.Empty(other.Steps);
    }

    [Fact]
    public void Of_two_who_lead_as_many_one_gives_up()
    {
        var led = Led(("a", 3), ("b", 3), ("c", 0));
        MovableGroup[] movable = [.. Movable("a", "b", "c"), .. Movable("b", "a", "c")];
        Assert.NotEmpty(LeaderSpread.Next("a", led, 0, movable).Steps);
        Assert.Empty(LeaderSpread.Next("b", led, 0, movable).Steps);
    }

    [Fact]
    public void Who_leads_most_and_can_give_none_up_does_not_keep_the_next_one_from_it()
    {
        var led = Led(("a", 5), ("b", 4), ("c", 0));
        MovableGroup[] movable = [.. Movable("a", "a", "b"), .. Movable("b", "a", "c")];
        Assert.Empty(LeaderSpread.Next("a", led, 0, movable).Steps);
        Assert.Equal(["c"], LeaderSpread.Next("b", led, 0, movable).Steps.Select(step => step.Silo));
    }

    [Fact]
    public void A_silo_that_is_down_or_has_no_voter_gets_none()
    {
        Assert.Empty(LeaderSpread.Next("a", Led(("a", 3), ("b", 2)), 0, Movable("a", "b", "c")).Steps);
        Assert.Empty(LeaderSpread.Next("a", Led(("a", 3), ("b", 2), ("c", 0)), 0, Movable("a", "b")).Steps);
    }

    [Fact]
    public void A_quarter_of_the_difference_is_given_up_at_once_to_those_that_lead_fewest()
    {
        MovableGroup[] movable = [.. Enumerable.Range(0, 40).Select(group => new MovableGroup(group, "a", ["a", "b", "c"]))];
        SpreadPlan plan = LeaderSpread.Next("a", Led(("a", 40), ("b", 8), ("c", 4)), 0, movable);
        Assert.Equal(9, plan.Steps.Select(step => step.Group).Distinct().Count());
        Assert.Equal(["c", "c", "c", "c", "b", "c", "b", "c", "b"], plan.Steps.Select(step => step.Silo));
    }

    [Fact]
    public void Groups_of_which_no_leader_is_known_count_for_whoever_would_get_some()
    {
        var led = Led(("a", 5), ("b", 2));
        Assert.NotEmpty(LeaderSpread.Next("a", led, 1, Movable("a", "b")).Steps);
        SpreadPlan plan = LeaderSpread.Next("a", led, 2, Movable("a", "b"));
        Assert.False(plan.IsUneven);
        Assert.Empty(plan.Steps);
    }

    [Fact]
    public void Step_by_step_any_distribution_ends_with_a_difference_of_one_at_most_and_no_leader_moves_for_nothing()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            string[] leaders = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => Silos[random.Next(Silos.Length)])];
            int share = leaders.Length / Silos.Length;
            int needed = Silos.Sum(silo => Math.Max(0, share - leaders.Count(leader => leader == silo)));
            int moves = SpreadAll(leaders, looksMax: 20);
            AssertEven(leaders);
            Assert.InRange(moves, needed, needed + Silos.Length);
        }
    }

    [Fact]
    public void A_thousand_groups_are_spread_within_a_few_looks_wherever_they_are_led()
    {
        foreach (int first in (int[])[0, 400, 500, 1_000])
        {
            string[] leaders = [.. Enumerable.Range(0, 1_000).Select(group => group < first ? "a" : group < 2 * first ? "b" : "c")];
            SpreadAll(leaders, looksMax: 20, silos: 3);
            Assert.All(Silos.Take(3), silo => Assert.InRange(leaders.Count(leader => leader == silo), 333, 334));
        }
    }

    /// <summary>
    /// Each silo knows at once what it does itself, and of the others what has come to it so far, in the order in which it
    /// happened in that group: of a leader that it has sent on, that somebody else is to say that it leads.
    /// </summary>
    [Fact]
    public void Silos_that_know_things_of_different_ages_end_evenly_too_and_throw_no_leader_to_and_fro()
    {
        var random = new Random(2);
        for (int round = 0; round < 100; round++)
        {
            string[] leaders = [.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => Silos[random.Next(Silos.Length)])];
            int share = leaders.Length / Silos.Length;
            int needed = Silos.Sum(silo => Math.Max(0, share - leaders.Count(leader => leader == silo)));
            Dictionary<string, string?[]> known = Silos.ToDictionary(silo => silo, _ => leaders.ToArray<string?>());
            Dictionary<string, List<(int Group, string Leader)>> coming = Silos.ToDictionary(silo => silo, _ => new List<(int, string)>());
            int moves = 0;
            for (int look = 0; look < 2_000; look++)
            {
                string own = Silos[random.Next(Silos.Length)];
                Hear(known[own], coming[own], random.Next(8));
                foreach (SpreadStep step in Plan(own, known[own], Silos).Steps)
                {
                    Assert.Equal(own, leaders[step.Group]);
                    leaders[step.Group] = step.Silo;
                    known[own][step.Group] = null;
                    known[step.Silo][step.Group] = step.Silo;
                    coming[step.Silo].RemoveAll(one => one.Group == step.Group);
                    foreach (string other in Silos.Where(other => other != step.Silo))
                        coming[other].Add((step.Group, step.Silo));
                    moves++;
                }
            }
            AssertEven(leaders);
            Assert.InRange(moves, needed, needed + (2 * Silos.Length));
        }
    }

    private static void Hear(string?[] known, List<(int Group, string Leader)> coming, int count)
    {
        count = Math.Min(count, coming.Count);
        foreach ((int group, string leader) in coming.Take(count))
            known[group] = leader;
        coming.RemoveRange(0, count);
    }

    /// <summary>Until nobody has any to give up; all know the same.</summary>
    /// <returns>How many leaders moved.</returns>
    private static int SpreadAll(string[] leaders, int looksMax, int silos = 5)
    {
        string[] all = [.. Silos.Take(silos)];
        for (int looks = 0, moves = 0; ; looks++)
        {
            SpreadPlan[] plans = [.. all.Select(own => Plan(own, leaders, all))];
            Assert.Single(plans.Select(plan => plan.IsUneven).Distinct());
            SpreadStep[] steps = [.. plans.SelectMany(plan => plan.Steps)];
            Assert.Equal(plans[0].IsUneven ? 1 : 0, plans.Count(plan => plan.Steps.Count > 0));
            if (steps.Length == 0)
                return moves;
            Assert.True(looks < looksMax);
            foreach (SpreadStep step in steps)
                leaders[step.Group] = step.Silo;
            moves += steps.Length;
        }
    }

    /// <param name="leaders">Null: not known.</param>
    private static SpreadPlan Plan(string own, string?[] leaders, string[] silos) => LeaderSpread.Next(
        own, silos.ToDictionary(silo => silo, silo => leaders.Count(leader => leader == silo)), leaders.Count(leader => leader is null),
        [.. leaders.Index().Where(one => one.Item is not null).Select(one => new MovableGroup(one.Index, one.Item!, silos))]);

    private static void AssertEven(string[] leaders)
    {
        int[] counts = [.. Silos.Select(silo => leaders.Count(leader => leader == silo))];
        Assert.InRange(counts.Max() - counts.Min(), 0, 1);
    }

    private static Dictionary<string, int> Led(params (string Silo, int Count)[] led) =>
        led.ToDictionary(one => one.Silo, one => one.Count);

    private static MovableGroup[] Movable(string leader, params string[] silos) => [new(0, leader, silos), new(1, leader, silos)];
}
