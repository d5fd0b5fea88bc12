using System.Runtime.CompilerServices;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <content>Watches.</content>
public partial class CoordinatorConfiguration
{
    /// <summary>
    /// The changes of one key as they happen, one update a revision, in order; none is missing and none comes twice,
    /// whatever becomes of connections and silos. Begins when it is enumerated, and goes on until
    /// <paramref name="cancellationToken"/> ends it, the enumerator is disposed or the client is. While the cluster
    /// can't be reached it waits, for as long as it takes. Its consumer may take its time: only what was compacted
    /// before it asked again is lost, and then it is told.
    /// </summary>
    /// <exception cref="RevisionCompactedException">
    /// What comes next is no longer kept: read anew, and watch from there; see <see cref="SnapshotAsync"/>.
    /// </exception>
    /// <exception cref="CoordinatorException">
    /// With the code RevisionInFuture: <see cref="WatchOptions.FromRevision"/> is beyond what the cluster has reached.
    /// RolledBack: a database went back in time; what was told may be gone, read anew. TooManyWatches: end others.
    /// </exception>
    public virtual IAsyncEnumerable<ConfigUpdate> WatchAsync(
        string key, WatchOptions? options = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckKey(key);
        return UpdatesAsync(new WatchConfig { Key = key }, Scope.Of(key), Checked(options), cancellationToken);
    }

    /// <summary>
    /// As <see cref="WatchAsync"/>, of all keys that begin with <paramref name="prefix"/>; empty: of all keys.
    /// </summary>
    /// <inheritdoc cref="WatchAsync"/>
    public virtual IAsyncEnumerable<ConfigUpdate> WatchPrefixAsync(
        string prefix, WatchOptions? options = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckPrefix(prefix);
        WatchConfig watch = new() { Key = prefix, IsPrefix = true };
        return UpdatesAsync(watch, Scope.OfPrefix(prefix), Checked(options), cancellationToken);
    }

    private async IAsyncEnumerable<ConfigUpdate> UpdatesAsync(
        WatchConfig watch, Scope scope, WatchOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        watch.FromRevision = options.FromRevision ?? 0;
        watch.WithPrevious = options.WithPrevious;
        ConfigStream stream = new(watch, options.ReportProgress);
        await foreach (StreamItem item in _groups.StreamAsync(stream, scope, cancellationToken).ConfigureAwait(false))
            yield return ConfigUpdate.Of((StreamItem.Revision)item);
    }

    private static WatchOptions Checked(WatchOptions? options)
    {
        Keys.CheckRevision(options?.FromRevision);
        return options ?? new WatchOptions();
    }
}
