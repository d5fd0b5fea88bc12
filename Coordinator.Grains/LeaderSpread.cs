namespace Coordinator.Grains;

/// <summary>
/// Which leaderships a silo gives up, so that the leaders are spread over the silos. Pure. Invariants: of silos that know the
/// same only one gives any up; two that lead as many, or one more, stay as they are; nobody is given so many at once that it
/// has to give any back, also if two give it some at the same time, each of which doesn't know of the other.
/// </summary>
internal static class LeaderSpread
{
    private const int DifferenceMin = 2;

    /// <summary>Of the difference, how much is given up at once: the more is left, the older what is known may be.</summary>
    private const int PartAtOnce = 4;

    /// <param name="own">The silo that asks.</param>
    /// <param name="led">How many groups each silo that is up leads, itself included.</param>
    /// <param name="unknown">How many more there are. They may be led by anyone, so they count for whoever would get some.</param>
    /// <param name="movable">The groups that another silo than their leader's could lead at once.</param>
    public static SpreadPlan Next(
        string own, IReadOnlyDictionary<string, int> led, int unknown, IReadOnlyList<MovableGroup> movable)
    {
        // Whoever leads most begins: others would move leaders at the same time.
        string? giver = movable
            .Where(group => led.TryGetValue(group.Leader, out int mine)
                && group.Silos.Any(silo => led.TryGetValue(silo, out int theirs) && mine - theirs - unknown >= DifferenceMin))
            .Select(group => group.Leader).Distinct()
            .OrderByDescending(silo => led[silo]).ThenBy(silo => silo, StringComparer.Ordinal)
            .FirstOrDefault();
        return new SpreadPlan(giver is not null, giver == own ? Steps(own, led, unknown, movable) : []);
    }

    private static List<SpreadStep> Steps(
        string own, IReadOnlyDictionary<string, int> led, int unknown, IReadOnlyList<MovableGroup> movable)
    {
        var counts = new Dictionary<string, int>(led, StringComparer.Ordinal);
        List<MovableGroup> left = [.. movable.Where(group => group.Leader == own)];
        List<SpreadStep> steps = [];
        for (int stepsMax = 1; steps.Count < stepsMax && Step(own, counts, unknown, left) is { } step;)
        {
            if (steps.Count == 0)
                stepsMax = Math.Max(1, step.Difference / PartAtOnce);
            steps.Add(step);
            counts[own]--;
            counts[step.Silo]++;
            left.RemoveAll(group => group.Group == step.Group);
        }
        return steps;
    }

    private static SpreadStep? Step(string own, Dictionary<string, int> led, int unknown, List<MovableGroup> left)
    {
        foreach ((string silo, int theirs) in led.OrderBy(one => one.Value).ThenBy(one => one.Key, StringComparer.Ordinal))
        {
            int difference = led[own] - theirs - unknown;
            if (difference < DifferenceMin)
                return null;
            if (left.FirstOrDefault(group => group.Silos.Contains(silo)) is { } group)
                return new SpreadStep(group.Group, silo, difference);
        }
        return null;
    }
}

/// <param name="Leader">The silo that leads it.</param>
/// <param name="Silos">Those that have a voter of it.</param>
internal sealed record MovableGroup(int Group, string Leader, IReadOnlyCollection<string> Silos);

/// <param name="IsUneven">Some silo has leaders to give up; if not this one, another.</param>
/// <param name="Steps">This silo's, one after the other.</param>
internal sealed record SpreadPlan(bool IsUneven, IReadOnlyList<SpreadStep> Steps);

/// <param name="Difference">How many groups more the giving silo leads, at least.</param>
internal readonly record struct SpreadStep(int Group, string Silo, int Difference);
