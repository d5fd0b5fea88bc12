namespace Coordinator.Grains;

/// <summary>
/// Whether a silo gives up the leadership of a group, so that the leaders are spread over the silos. Pure. Invariants: of
/// silos that know the same only one gives any up; two that lead as many, or one more, stay as they are.
/// </summary>
internal static class LeaderSpread
{
    private const int DifferenceMin = 2;

    /// <param name="own">The silo that asks.</param>
    /// <param name="led">How many groups each silo that is up leads, itself included.</param>
    /// <param name="movable">The groups that it leads, each with the other silos that could lead it at once.</param>
    /// <returns>Null: none, now.</returns>
    public static SpreadStep? Next(string own, IReadOnlyDictionary<string, int> led, IReadOnlyList<MovableGroup> movable)
    {
        int mine = led.GetValueOrDefault(own);
        // Whoever leads most begins: others would move leaders at the same time.
        if (led.Any(silo => silo.Value > mine || (silo.Value == mine && string.CompareOrdinal(silo.Key, own) < 0)))
            return null;
        return movable
            .SelectMany(group => group.Silos.Where(led.ContainsKey).Select(silo => new SpreadStep(group.Group, silo, mine - led[silo])))
            .Where(step => step.Silo != own && step.Difference >= DifferenceMin)
            .OrderByDescending(step => step.Difference).ThenBy(step => step.Silo, StringComparer.Ordinal).ThenBy(step => step.Group)
            .Select(step => (SpreadStep?)step)
            .FirstOrDefault();
    }
}

/// <param name="Silos">Those that are up and have a voter of it that has caught up.</param>
internal sealed record MovableGroup(int Group, IReadOnlyCollection<string> Silos);

/// <param name="Difference">How many groups more the giving silo leads.</param>
internal readonly record struct SpreadStep(int Group, string Silo, int Difference);
