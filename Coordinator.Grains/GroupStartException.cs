namespace Coordinator.Grains;

/// <summary>The groups cannot start on what is stored.</summary>
public sealed class GroupStartException(string message) : Exception(message)
{
    /// <param name="isStoredHere">Or else other silos have founded it.</param>
    internal static GroupStartException OtherGroups(int stored, int wanted, bool isStoredHere) => new(
        $"The cluster was founded with {stored} groups, and Coordinator:Groups is {wanted}: which group a name belongs to hangs "
        + $"on their number, which never changes. Set Coordinator:Groups to {stored}"
        + (isStoredHere ? ", or start with an empty database." : "."));
}
