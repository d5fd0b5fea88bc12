using System.Runtime.CompilerServices;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <content>Reads.</content>
public partial class CoordinatorConfiguration
{
    /// <returns>Null if there is no such key, or was none at the revision.</returns>
    public virtual async Task<ConfigEntry?> GetAsync(
        string key, ReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckKey(key);
        Query query = Read(options);
        query.GetConfig = new GetConfig { Key = key, Revision = options?.Revision ?? 0 };
        QueryAnswer answer = await ReadAsync(query, Scope.Of(key), cancellationToken).ConfigureAwait(false);
        return answer.Error == ErrorCode.KeyNotFound || answer.Entries.Count == 0
            ? null
            : ConfigEntry.Of(answer.Entries[0], answer.Position);
    }

    /// <summary>
    /// All settings whose key begins with <paramref name="prefix"/>, in ordinal order, all of them as they were at one
    /// revision: that of the first page, unless <paramref name="options"/> name one. Read page by page, as far as it
    /// is enumerated.
    /// </summary>
    /// <exception cref="RevisionCompactedException">
    /// While it was enumerated the revision was compacted: list again.
    /// </exception>
    public virtual IAsyncEnumerable<ConfigEntry> ListAsync(
        string prefix = "", ReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckPrefix(prefix);
        Keys.CheckRevision(options?.Revision);
        return EntriesAsync(prefix, options, cancellationToken);
    }

    /// <summary>How many keys begin with <paramref name="prefix"/>.</summary>
    public virtual async Task<long> CountAsync(
        string prefix = "", ReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckPrefix(prefix);
        Query query = Read(options);
        query.ListConfig = new ListConfig
        {
            Prefix = prefix,
            Revision = options?.Revision ?? 0,
            Limit = Limits.PageItemsMax,
            CountOnly = true,
        };
        return (await ReadAsync(query, Scope.OfPrefix(prefix), cancellationToken).ConfigureAwait(false)).Count;
    }

    /// <summary>
    /// All settings whose key begins with <paramref name="prefix"/>, and the revision that they are of: what to read
    /// before a watch that begins there.
    /// </summary>
    public virtual async Task<ConfigSnapshot> SnapshotAsync(
        string prefix = "", ReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckPrefix(prefix);
        Keys.CheckRevision(options?.Revision);
        List<ConfigEntry> entries = [];
        LogPosition position = default;
        long revision = 0;
        await foreach (QueryAnswer page in PagesAsync(prefix, options, cancellationToken).ConfigureAwait(false))
        {
            position = LogPosition.Of(page.Position);
            if (revision == 0)
                revision = options?.Revision ?? page.Position?.Revision ?? 0;
            entries.AddRange(page.Entries.Select(entry => ConfigEntry.Of(entry, page.Position)));
        }
        return new ConfigSnapshot(revision, entries, position.Group);
    }

    private async IAsyncEnumerable<ConfigEntry> EntriesAsync(
        string prefix, ReadOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (QueryAnswer page in PagesAsync(prefix, options, cancellationToken).ConfigureAwait(false))
        {
            foreach (Contracts.ConfigEntry entry in page.Entries)
                yield return ConfigEntry.Of(entry, page.Position);
        }
    }

    private async IAsyncEnumerable<QueryAnswer> PagesAsync(
        string prefix, ReadOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ListConfig list = new()
        {
            Prefix = prefix,
            Limit = Limits.PageItemsMax,
            KeysOnly = options?.KeysOnly ?? false,
            Revision = options?.Revision ?? 0,
        };
        QueryAnswer page;
        do
        {
            Query query = Read(options);
            query.ListConfig = list.Clone();
            page = await ReadAsync(query, Scope.OfPrefix(prefix), cancellationToken).ConfigureAwait(false);
            yield return page;
            if (list.Revision == 0)
                list.Revision = page.Position?.Revision ?? 0;
            if (page.Entries.Count > 0)
                list.AfterKey = page.Entries[^1].Key;
        }
        while (page.More && page.Entries.Count > 0);
    }

    private async Task<QueryAnswer> ReadAsync(Query query, Scope scope, CancellationToken cancellationToken)
    {
        Completion completion =
            await _groups.RunAsync(new QueryOperation(query), scope, cancellationToken).ConfigureAwait(false);
        QueryAnswer answer = ((Completion.Read)completion).Answer;
        return answer.Error is ErrorCode.Ok or ErrorCode.KeyNotFound
            ? answer
            : throw Refusal.Of(answer.Error, answer.Message, answer.CompactedRevision);
    }

    private static Query Read(ReadOptions? options)
    {
        Keys.CheckRevision(options?.Revision);
        return new Query { Serializable = options?.Consistency == ReadConsistency.Serializable };
    }
}
