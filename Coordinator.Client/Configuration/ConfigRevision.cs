namespace Coordinator.Client;

/// <summary>What became of a put.</summary>
/// <param name="Revision">Of the group, after the change.</param>
/// <param name="Version">Of the key: 1 for a new one, +1 for each put.</param>
/// <param name="Group">Of the key, and so of the revision.</param>
public readonly record struct ConfigRevision(long Revision, long Version, int Group = 0);
