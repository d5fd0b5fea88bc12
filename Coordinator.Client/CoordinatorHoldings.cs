using System.Runtime.CompilerServices;
using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// What all kinds of holdings have in common: looking at them, and ending those of others. All members throw
/// <see cref="ArgumentException"/> for a name that is none, <see cref="CoordinatorTimeoutException"/> if the cluster
/// doesn't answer and nothing was done, <see cref="CoordinatorOutcomeUnknownException"/> if it may have been done, and
/// <see cref="CoordinatorException"/> for any other refusal.
/// </summary>
public abstract class CoordinatorHoldings
{
    private readonly HoldingKind _kind;

    private protected CoordinatorHoldings(ClientGroups groups, HoldingKind kind)
    {
        Groups = groups;
        _kind = kind;
    }

    private protected CoordinatorHoldings() => Groups = null!;

    internal ClientGroups Groups { get; }

    /// <summary>Who holds the name, and who waits for it, in order: why somebody waits.</summary>
    /// <returns>Null if nobody does either.</returns>
    public virtual async Task<HoldingDescription?> DescribeAsync(string name, CancellationToken cancellationToken = default)
    {
        Acquires.CheckName(name);
        Query query = new() { GetLock = new GetLock { Kind = _kind, Name = name } };
        QueryAnswer answer =
            await Groups.ReadAsync(query, Scope.Of(name), cancellationToken, ErrorCode.LockNotFound).ConfigureAwait(false);
        return answer.Locks.Count == 0 ? null : HoldingDescription.Of(answer.Locks[0]);
    }

    /// <summary>
    /// All names that start with <paramref name="prefix"/> and are held or waited for, in ordinal order, of all groups that
    /// have such names. Read in pages: what changes meanwhile may or may not be seen.
    /// </summary>
    public virtual async IAsyncEnumerable<HoldingDescription> ListAsync(
        string prefix = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (ResourceName.PrefixProblem(prefix) is { } problem)
            throw new ArgumentException(problem, nameof(prefix));
        prefix ??= "";
        int groups = await Groups.CountAsync(cancellationToken).ConfigureAwait(false);
        IEnumerable<int> those = Scope.OfPrefix(prefix).In(groups) is { } one ? [one] : Enumerable.Range(0, groups);
        IAsyncEnumerable<HoldingDescription>[] listings =
            [.. those.Select(group => ListInAsync(group, prefix, cancellationToken))];
        await foreach (HoldingDescription description in
            Merging.InOrderAsync(listings, listed => listed.Name, cancellationToken).ConfigureAwait(false))
            yield return description;
    }

    /// <summary>
    /// Ends holdings of the name against their holders' will; those who wait are served. The holders are not waited for:
    /// only their fencing tokens keep out what they still do. It is kept in the audit list.
    /// </summary>
    /// <param name="reason">For the audit list: at most 1 KiB.</param>
    /// <param name="fencingToken">Of the holding that is meant; null: all of the name.</param>
    /// <returns>False if nobody held it.</returns>
    public virtual async Task<bool> ForceReleaseAsync(
        string name, string reason, long? fencingToken = null, CancellationToken cancellationToken = default)
    {
        CheckTarget(name, reason, fencingToken);
        ForceRelease force = new() { Kind = _kind, Name = name, Token = fencingToken ?? 0, Reason = reason };
        return await InterveneAsync(name, new Command { ForceRelease = force }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Asks the holders of the name to let go. They may; it is shown in descriptions, their handles'
    /// <see cref="HoldingHandle.ReleaseRequested"/> is cancelled, and nothing else changes. The holder of a lease is not told.
    /// </summary>
    /// <inheritdoc cref="ForceReleaseAsync"/>
    public virtual async Task<bool> RequestReleaseAsync(
        string name, string reason, long? fencingToken = null, CancellationToken cancellationToken = default)
    {
        CheckTarget(name, reason, fencingToken);
        RequestRelease request = new() { Kind = _kind, Name = name, Token = fencingToken ?? 0, Reason = reason };
        return await InterveneAsync(name, new Command { RequestRelease = request }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The audit lists of forced releases of this kind, group by group, each with the oldest first. The cluster keeps a
    /// bounded number.
    /// </summary>
    public virtual async IAsyncEnumerable<ForcedReleaseEntry> ListForcedReleasesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        int groups = await Groups.CountAsync(cancellationToken).ConfigureAwait(false);
        for (int group = 0; group < groups; group++)
        {
            await foreach (ForcedReleaseEntry forced in ListForcedReleasesInAsync(group, cancellationToken).ConfigureAwait(false))
                yield return forced;
        }
    }

    /// <summary>Null: the wait is over.</summary>
    internal Task<Holding?> TryAcquireAsync(AcquireRequest request, TimeSpan wait, CancellationToken cancellationToken) =>
        Groups.AcquireAsync(request, wait, cancellationToken);

    internal async Task<Holding> AcquireAsync(
        AcquireRequest request, TimeSpan wait, CancellationToken cancellationToken) =>
        await TryAcquireAsync(request, wait, cancellationToken).ConfigureAwait(false)
        ?? throw await NotAcquiredAsync(request.Names, wait, cancellationToken).ConfigureAwait(false);

    private protected async Task<LockNotAcquiredException> NotAcquiredAsync(
        IReadOnlyList<string> names, TimeSpan wait, CancellationToken cancellationToken)
    {
        HoldingDescription? description = null;
        foreach (string name in names)
        {
            description = await WhyAsync(name, cancellationToken).ConfigureAwait(false);
            if (description is { Holders.Count: > 0 })
                break;
        }
        string blocked = description?.Name ?? names[0];
        return new LockNotAcquiredException(
            blocked, $"\"{blocked}\" was not free within {wait}. {description}".TrimEnd(), description);
    }

    // That the wait is over is certain already: a reason that can't be read must not become another outcome.
    private async Task<HoldingDescription?> WhyAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await DescribeAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CoordinatorException or TimeoutException)
        {
            return null;
        }
    }

    private async IAsyncEnumerable<HoldingDescription> ListInAsync(
        int group, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ListLocks list = new() { Kind = _kind, Prefix = prefix, Limit = Limits.PageItemsMax };
        QueryAnswer page;
        do
        {
            Query query = new() { ListLocks = list.Clone() };
            page = await Groups.ReadAsync(query, Scope.OfGroup(group), cancellationToken).ConfigureAwait(false);
            foreach (LockInfo info in page.Locks)
            {
                list.AfterName = info.Name;
                yield return HoldingDescription.Of(info);
            }
        }
        while (page.More && page.Locks.Count > 0);
    }

    private async IAsyncEnumerable<ForcedReleaseEntry> ListForcedReleasesInAsync(
        int group, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long after = 0;
        QueryAnswer page;
        do
        {
            Query query = new()
            {
                ListForcedReleases = new ListForcedReleases { AfterNumber = after, Limit = Limits.PageItemsMax },
            };
            page = await Groups.ReadAsync(query, Scope.OfGroup(group), cancellationToken).ConfigureAwait(false);
            foreach (ForcedRelease forced in page.ForcedReleases)
            {
                after = forced.Number;
                if (forced.Kind == _kind)
                    yield return ForcedReleaseEntry.Of(forced, group);
            }
        }
        while (page.More && page.ForcedReleases.Count > 0);
    }

    private async Task<bool> InterveneAsync(string name, Command command, CancellationToken cancellationToken)
    {
        CommandResult result = await Groups
            .ExecuteAsync(new WriteOperation(command), Scope.Of(name), cancellationToken, ErrorCode.LockNotFound)
            .ConfigureAwait(false);
        return result.Error == ErrorCode.Ok;
    }

    private static void CheckTarget(string name, string reason, long? fencingToken)
    {
        Acquires.CheckName(name);
        ArgumentNullException.ThrowIfNull(reason);
        Acquires.CheckText(reason, nameof(reason));
        if (fencingToken is { } token)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(token, nameof(fencingToken));
    }
}
