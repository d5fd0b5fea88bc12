using System.Runtime.CompilerServices;
using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// Elections: of those who campaign for a name one leads, and publishes a value; the next in line follows. A client
/// campaigns for a name once; further callers of it wait for that one to end.
/// </summary>
public class CoordinatorElections : CoordinatorHoldings
{
    internal CoordinatorElections(ClientGroups groups) : base(groups, HoldingKind.Election)
    {
    }

    protected CoordinatorElections()
    {
    }

    /// <summary>Waits until this client leads.</summary>
    /// <param name="value">What it publishes as a leader, such as its address: at most 1 KiB.</param>
    /// <inheritdoc cref="CoordinatorLocks.AcquireAsync"/>
    public virtual async Task<LeadershipHandle> CampaignAsync(
        string name, string value, AcquireOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new AcquireOptions();
        Holding holding = await AcquireAsync(
            Request(name, value, options), options.WaitOr(Timeout.InfiniteTimeSpan), cancellationToken)
            .ConfigureAwait(false);
        return new LeadershipHandle(Groups.Of(name), holding);
    }

    /// <summary>As <see cref="CampaignAsync"/>, but null if the wait ends first; without options: one try.</summary>
    public virtual async Task<LeadershipHandle?> TryCampaignAsync(
        string name, string value, AcquireOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new AcquireOptions();
        return await TryAcquireAsync(Request(name, value, options), options.WaitOr(TimeSpan.Zero), cancellationToken)
            .ConfigureAwait(false) is { } holding
            ? new LeadershipHandle(Groups.Of(name), holding)
            : null;
    }

    /// <summary>Who leads now.</summary>
    /// <returns>Null if nobody does.</returns>
    public virtual async Task<Leader?> GetLeaderAsync(string name, CancellationToken cancellationToken = default)
    {
        HoldingDescription? election = await DescribeAsync(name, cancellationToken).ConfigureAwait(false);
        return election?.Holders is [var leader, ..]
            ? new Leader { SessionId = leader.SessionId, FencingToken = leader.FencingToken, Value = leader.Value }
            : null;
    }

    /// <summary>
    /// The leader as it is now, and again whenever it is another or has proclaimed; null: nobody leads. What was in
    /// between two of them may be left out. Goes on over lost connections, until it is cancelled.
    /// </summary>
    public virtual async IAsyncEnumerable<Leader?> ObserveAsync(
        string name, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Acquires.CheckName(name);
        await foreach (StreamItem item in
            Groups.StreamAsync(new ElectionStream(name), Scope.Of(name), cancellationToken).ConfigureAwait(false))
        {
            ElectionState state = ((StreamItem.Election)item).State;
            yield return state.Token == 0
                ? null
                : new Leader { SessionId = state.SessionId, FencingToken = state.Token, Value = state.Value };
        }
    }

    private static AcquireRequest Request(string name, string value, AcquireOptions options)
    {
        ArgumentNullException.ThrowIfNull(value);
        return options.ToRequest(HoldingKind.Election, name) with { Value = value };
    }
}

/// <summary>Who leads.</summary>
public sealed record Leader
{
    public long SessionId { get; init; }

    /// <summary>Of the leadership: grows with each leader.</summary>
    public long FencingToken { get; init; }

    /// <summary>What it proclaimed last.</summary>
    public string Value { get; init; } = "";
}
