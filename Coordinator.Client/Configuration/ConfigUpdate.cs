using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>Everything that one revision changed among the watched keys; keys in ordinal order.</summary>
/// <param name="Changes">Empty: a progress mark; see <see cref="WatchOptions.ReportProgress"/>.</param>
public sealed record ConfigUpdate(long Revision, IReadOnlyList<ConfigChange> Changes)
{
    internal static ConfigUpdate Of(StreamItem.Revision revision) =>
        new(revision.Number, [.. revision.Events.Select(ConfigChange.Of)]);
}

/// <summary>What a revision did to a key.</summary>
public enum ConfigChangeKind
{
    Put,
    Deleted,
}

/// <summary>A key's change.</summary>
/// <param name="Entry">As the revision left it; null: deleted.</param>
/// <param name="Previous">
/// What was there before; null if there was nothing, or <see cref="WatchOptions.WithPrevious"/> was not set.
/// </param>
public sealed record ConfigChange(string Key, ConfigChangeKind Kind, ConfigEntry? Entry, ConfigEntry? Previous)
{
    internal static ConfigChange Of(ConfigEvent change)
    {
        bool isDeleted = change.Entry.Version == 0;
        return new ConfigChange(
            change.Entry.Key,
            isDeleted ? ConfigChangeKind.Deleted : ConfigChangeKind.Put,
            isDeleted ? null : ConfigEntry.Of(change.Entry, null),
            change.Previous is { } previous ? ConfigEntry.Of(previous, null) : null);
    }
}
