namespace Coordinator.Client;

/// <summary>All settings with a prefix, as they were at one revision.</summary>
/// <param name="Revision">To watch what comes after it, without a gap: from <see cref="NextRevision"/>.</param>
/// <param name="Entries">In ordinal order of their keys.</param>
/// <param name="Group">Whose revision it is.</param>
public sealed record ConfigSnapshot(long Revision, IReadOnlyList<ConfigEntry> Entries, int Group = 0)
{
    /// <summary>The first revision that is not in here.</summary>
    public long NextRevision => Revision + 1;
}
