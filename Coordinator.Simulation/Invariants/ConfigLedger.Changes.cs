using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

internal sealed partial class ConfigLedger
{
    /// <summary>What a watcher is to be told of the revisions from one up to another, which is not included.</summary>
    public IEnumerable<ConfigEvent> Changes(WatchConfig watch, long from, long to) =>
        WatchedKeys(watch).SelectMany(key => Versions(key)
                .Where(version => version.Revision >= from && version.Revision < to)
                .Select(version => (Key: key, Version: version)))
            .OrderBy(change => change.Version.Revision).ThenBy(change => change.Key, StringComparer.Ordinal)
            .Select(change => new ConfigEvent
            {
                Entry = change.Version.Entry ?? new ConfigEntry { Key = change.Key, ModifyRevision = change.Version.Revision },
                Previous = watch.WithPrevious ? AtRevision(change.Key, change.Version.Revision - 1)?.Entry : null,
            });

    /// <summary>The last revision that changed what is watched; 0: none.</summary>
    public long LastChange(WatchConfig watch) =>
        WatchedKeys(watch).Select(key => _keys[key][^1].Revision).DefaultIfEmpty().Max();

    private IEnumerable<string> WatchedKeys(WatchConfig watch) =>
        watch.IsPrefix ? AllKeys(watch.Key) : AllKeys(watch.Key).Where(key => key == watch.Key);
}
