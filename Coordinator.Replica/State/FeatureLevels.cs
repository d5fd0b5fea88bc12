namespace Coordinator.Replica.State;

/// <summary>
/// What this program can apply (rule 25). A group's own level is replicated and gates what apply may do, so that
/// replicas of two versions never apply one entry differently.
/// </summary>
public static class FeatureLevels
{
    /// <summary>Sessions, exclusive locks, configuration without history.</summary>
    public const int First = 1;

    /// <summary>The highest that this program knows; a snapshot above it is refused.</summary>
    public const int Known = First;
}
