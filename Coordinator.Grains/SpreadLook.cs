namespace Coordinator.Grains;

/// <summary>
/// How the leaders are spread, as a silo saw it at one moment when no group lacked a voter. Invariant: whatever could have
/// made another silo lead a group since then makes it out of date.
/// </summary>
/// <param name="Led">How many groups each silo leads that could lead now.</param>
internal sealed record SpreadLook(SpreadPlan Plan, IReadOnlyDictionary<string, int> Led, long Changes)
{
    /// <returns>Null: some group lacks a voter, or a learner is behind.</returns>
    public static SpreadLook? At(SpreadSilo silo)
    {
        // Read before what it counts: a change in between is seen the next time.
        long changes = ChangesOf(silo);
        var led = silo.Able().ToDictionary(one => one, _ => 0, StringComparer.Ordinal);
        int unknown = 0;
        var movable = new List<MovableGroup>();
        // Not always the same group first: one that is never seen to be led by another would keep all others waiting.
        int first = Random.Shared.Next(silo.Groups.Count);
        foreach (SpreadGroup group in silo.Groups.Skip(first).Concat(silo.Groups.Take(first)))
        {
            GroupPicture picture = group.Picture();
            if (!picture.AllCaughtUp)
                return null;
            if (LeaderOf(group, picture) is not { } leader)
            {
                unknown++;
                continue;
            }
            if (led.TryGetValue(leader, out int count))
                led[leader] = count + 1;
            if (picture.Members.All(member => member.Voter && !member.Outgoing))
                movable.Add(new MovableGroup(picture.Group, leader, [.. picture.Members.Select(group.SiloOf).OfType<string>()]));
        }
        return new SpreadLook(LeaderSpread.Next(silo.Id, led, unknown, movable), led, changes);
    }

    public bool IsUpToDate(SpreadSilo silo) => ChangesOf(silo) == Changes
        && silo.Able().Order(StringComparer.Ordinal).SequenceEqual(Led.Keys.Order(StringComparer.Ordinal));

    /// <summary>Whether leaders have moved between the two.</summary>
    public bool IsOther(SpreadLook other) => Led.Count != other.Led.Count || Led.Except(other.Led).Any();

    private static long ChangesOf(SpreadSilo silo) => silo.Groups.Sum(group => group.Gateway.Changes);

    /// <summary>The silo that says itself that it leads; null: none has been heard to, of those that were elected last.</summary>
    private static string? LeaderOf(SpreadGroup group, GroupPicture picture) =>
        picture.Members.FirstOrDefault(member => member.PeerId == picture.Leader.Value) is { } leader
            && picture.FactOf(leader) is { } fact && GroupFacts.Leads(fact) ? group.SiloOf(leader) : null;
}
