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
    private readonly ClientRuntime _runtime;

    internal CoordinatorSessions(ClientRuntime runtime) => _runtime = runtime;

    protected CoordinatorSessions() => _runtime = null!;

    /// <summary>
    /// Opens a session, on a connection of its own. It is kept alive until it is disposed; once lost, it stays lost.
    /// </summary>
    /// <param name="ttl">0.5 s to 1 day; null: as the client's own. See <see cref="CoordinatorClientOptions.SessionTtl"/>.</param>
    /// <param name="metadata">Shown in listings: at most 1 KiB; null: the client's name.</param>
    /// <exception cref="CoordinatorTimeoutException">The cluster can't be reached.</exception>
    /// <exception cref="CoordinatorException">The cluster refused.</exception>
    public virtual async Task<CoordinatorSession> CreateAsync(
        TimeSpan? ttl = null, string? metadata = null, CancellationToken cancellationToken = default)
    {
        ClientRuntime runtime = new(_runtime.Options.ForSession(ttl, metadata));
        try
        {
            Completion completion =
                await runtime.RunAsync(new OpenSessionOperation(), cancellationToken).ConfigureAwait(false);
            return new CoordinatorSession(runtime, ((Completion.Opened)completion).Session);
        }
        catch
        {
            await runtime.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>All sessions of the cluster, the oldest first. Read in pages: what changes meanwhile may or may not be seen.</summary>
    public virtual async IAsyncEnumerable<SessionDescription> ListAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        long after = 0;
        QueryAnswer page;
        do
        {
            Query query = new() { ListSessions = new ListSessions { AfterSessionId = after, Limit = Limits.PageItemsMax } };
            page = await _runtime.ReadAsync(query, cancellationToken).ConfigureAwait(false);
            foreach (SessionInfo info in page.Sessions)
            {
                after = info.SessionId;
                yield return SessionDescription.Of(info);
            }
        }
        while (page.More && page.Sessions.Count > 0);
    }

    /// <returns>Null if there is no such session, or no longer.</returns>
    public virtual async Task<SessionDescription?> DescribeAsync(
        long sessionId, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sessionId);
        Query query = new() { GetSession = new GetSession { SessionId = sessionId } };
        QueryAnswer answer =
            await _runtime.ReadAsync(query, cancellationToken, ErrorCode.SessionNotFound).ConfigureAwait(false);
        return answer.Sessions.Count == 0 ? null : SessionDescription.Of(answer.Sessions[0]);
    }
}

/// <summary>A session as the cluster knows it.</summary>
public sealed record SessionDescription
{
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

    internal static SessionDescription Of(SessionInfo info) => new()
    {
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
