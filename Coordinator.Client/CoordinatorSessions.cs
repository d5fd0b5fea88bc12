using System.Runtime.CompilerServices;
using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// Sessions. A client opens one by itself at the first need, and another one after a loss; whoever wants to say when one
/// begins and ends, or to hold things apart from the rest of the program, creates one.
/// </summary>
public class CoordinatorSessions
{
    private readonly ClientGroups _groups;

    internal CoordinatorSessions(ClientGroups groups) => _groups = groups;

    protected CoordinatorSessions() => _groups = null!;

    /// <summary>
    /// Opens a session, on a connection of its own. It is kept alive until it is disposed; once lost, it stays lost.
    /// </summary>
    /// <param name="ttl">0.5 s to 1 day; null: as the client's own. See <see cref="CoordinatorClientOptions.SessionTtl"/>.</param>
    /// <param name="metadata">Shown in listings: at most 1 KiB; null: the client's name.</param>
    /// <param name="inNamespace">
    /// Of the names that it will hold: the part before the first '/'. A session is in one group; null in a cluster of
    /// several is refused with <see cref="ErrorCode.InvalidRequest"/>.
    /// </param>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    /// <exception cref="CoordinatorTimeoutException">The cluster can't be reached.</exception>
    /// <exception cref="CoordinatorException">The cluster refused.</exception>
    public virtual async Task<CoordinatorSession> CreateAsync(
        TimeSpan? ttl = null, string? metadata = null, string? inNamespace = null,
        CancellationToken cancellationToken = default)
    {
        if (inNamespace is not null && NamespaceProblem(inNamespace) is { } problem)
            throw new ArgumentException(problem, nameof(inNamespace));
        Scope scope = inNamespace is null ? Scope.OnlyGroup : Scope.Of(inNamespace);
        ClientGroups groups = new(_groups.Options.ForSession(ttl, metadata), _groups.Count);
        try
        {
            Completion completion =
                await groups.RunAsync(new OpenSessionOperation(), scope, cancellationToken).ConfigureAwait(false);
            int group = scope.In(groups.Count)!.Value;
            groups.KeepTo(group);
            return new CoordinatorSession(groups, group, ((Completion.Opened)completion).Session);
        }
        catch
        {
            await groups.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// All sessions of the cluster, group by group, each with the oldest first. Read in pages: what changes meanwhile may or
    /// may not be seen.
    /// </summary>
    public virtual async IAsyncEnumerable<SessionDescription> ListAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        int groups = await _groups.CountAsync(cancellationToken).ConfigureAwait(false);
        for (int group = 0; group < groups; group++)
        {
            await foreach (SessionDescription session in ListInAsync(group, cancellationToken).ConfigureAwait(false))
                yield return session;
        }
    }

    /// <param name="group">Session ids are those of one group; null: the only one there is.</param>
    /// <returns>Null if there is no such session, or no longer.</returns>
    public virtual async Task<SessionDescription?> DescribeAsync(
        long sessionId, int? group = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sessionId);
        Keys.CheckGroup(group);
        Query query = new() { GetSession = new GetSession { SessionId = sessionId } };
        QueryAnswer answer = await _groups
            .ReadAsync(query, Scope.OfGroup(group), cancellationToken, ErrorCode.SessionNotFound).ConfigureAwait(false);
        return answer.Sessions.Count == 0 ? null : SessionDescription.Of(answer.Sessions[0], group ?? 0);
    }

    private async IAsyncEnumerable<SessionDescription> ListInAsync(
        int group, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long after = 0;
        QueryAnswer page;
        do
        {
            Query query = new() { ListSessions = new ListSessions { AfterSessionId = after, Limit = Limits.PageItemsMax } };
            page = await _groups.ReadAsync(query, Scope.OfGroup(group), cancellationToken).ConfigureAwait(false);
            foreach (SessionInfo info in page.Sessions)
            {
                after = info.SessionId;
                yield return SessionDescription.Of(info, group);
            }
        }
        while (page.More && page.Sessions.Count > 0);
    }

    private static string? NamespaceProblem(string text) =>
        text.Contains('/') ? "A namespace has no '/'." : ResourceName.Problem(text);
}

/// <summary>A session as the cluster knows it.</summary>
public sealed record SessionDescription
{
    /// <summary>The one in which it is; ids of sessions are unique within it only.</summary>
    public int Group { get; init; }

    public long Id { get; init; }

    public TimeSpan Ttl { get; init; }

    /// <summary>Until it expires if nothing more is heard of it, in log time.</summary>
    public TimeSpan Remaining { get; init; }

    public TimeSpan Age { get; init; }

    /// <summary>What its client says about itself.</summary>
    public string Metadata { get; init; } = "";

    /// <summary>Who opened it, as the silo knows them.</summary>
    public string Caller { get; init; } = "";

    /// <summary>Names of the locks that it holds.</summary>
    public IReadOnlyList<string> Held { get; init; } = [];

    /// <summary>How many of its requests wait.</summary>
    public int Waiting { get; init; }

    internal static SessionDescription Of(SessionInfo info, int group) => new()
    {
        Group = group,
        Id = info.SessionId,
        Ttl = TimeSpan.FromMicroseconds(info.TtlUs),
        Remaining = TimeSpan.FromMicroseconds(info.RemainingUs),
        Age = TimeSpan.FromMicroseconds(info.AgeUs),
        Metadata = info.Metadata,
        Caller = info.Caller,
        Held = [.. info.Locks],
        Waiting = info.Waiting,
    };
}
