using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Client;

/// <summary>
/// The peers of a group, and changes to them. All members throw <see cref="CoordinatorTimeoutException"/> if the cluster
/// doesn't answer and nothing was changed, <see cref="CoordinatorOutcomeUnknownException"/> if a change may have
/// happened, and <see cref="CoordinatorException"/> for any other refusal. Every change is safe to repeat.
/// </summary>
public class CoordinatorCluster
{
    private readonly ClientGroups _groups;

    internal CoordinatorCluster(ClientGroups groups) => _groups = groups;

    protected CoordinatorCluster() => _groups = null!;

    /// <summary>How many groups the cluster has, numbered from 0: as many as it was founded with.</summary>
    public virtual Task<int> CountGroupsAsync(CancellationToken cancellationToken = default) =>
        _groups.CountAsync(cancellationToken);

    /// <summary>The group of <paramref name="name"/>, which its namespace decides: the part before the first '/'.</summary>
    public virtual async Task<int> GroupOfAsync(string name, CancellationToken cancellationToken = default)
    {
        Acquires.CheckName(name);
        return GroupOfName.Of(name, await _groups.CountAsync(cancellationToken).ConfigureAwait(false));
    }

    public virtual async Task<GroupInfo> DescribeAsync(int group = 0, CancellationToken cancellationToken = default)
    {
        ClusterRequest request = new() { Group = group, Describe = new DescribeGroup() };
        return ToInfo((await AskAsync(request, cancellationToken).ConfigureAwait(false)).Group);
    }

    /// <summary>Ends when the new leader is known.</summary>
    /// <param name="toPeerId">A voter; null: whichever other one is furthest.</param>
    /// <param name="cancellationToken">Ends the wait; leadership may or may not be handed over.</param>
    public virtual async Task<GroupInfo> TransferLeadershipAsync(
        long? toPeerId = null, int group = 0, CancellationToken cancellationToken = default)
    {
        if (toPeerId is { } peer)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(peer, nameof(toPeerId));
        TransferLeadership transfer = new() { ToPeerId = toPeerId ?? 0 };
        ClusterRequest request = new() { Group = group, TransferLeadership = transfer };
        return ToInfo((await AskAsync(request, cancellationToken).ConfigureAwait(false)).Group);
    }

    /// <summary>Adds a peer. It joins as a learner, and votes once it has caught up: that is not waited for.</summary>
    /// <param name="learner">It never votes.</param>
    /// <param name="nonce">One nonce adds one peer, however often it is asked; null: a new one.</param>
    /// <param name="silo">Where, in a cluster of several silos; null: on the silo of the peer that it replaces.</param>
    /// <param name="replaces">A voter whose place it takes once it has caught up; null: nobody's.</param>
    /// <param name="cancellationToken">Ends the wait; the peer may or may not be added.</param>
    /// <returns>The new peer's id.</returns>
    public virtual async Task<long> AddPeerAsync(
        bool learner = false, Guid? nonce = null, string? silo = null, long? replaces = null, int group = 0,
        CancellationToken cancellationToken = default)
    {
        if (replaces is { } replaced)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(replaced, nameof(replaces));
        Guid unique = nonce ?? Guid.NewGuid();
        GrowGroup grow = new()
        {
            Nonce = ByteString.CopyFrom(unique.ToByteArray(bigEndian: true)),
            Learner = learner,
            Silo = silo ?? "",
            Replaces = replaces ?? 0,
        };
        ClusterRequest request = new() { Group = group, AddPeer = grow };
        return (await AskAsync(request, cancellationToken).ConfigureAwait(false)).PeerId;
    }

    /// <summary>Removes a peer; its id is never used again. One that was removed already is no error.</summary>
    /// <param name="cancellationToken">Ends the wait; the peer may or may not be removed.</param>
    public virtual Task RemovePeerAsync(long peerId, int group = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(peerId);
        return AskAsync(
            new ClusterRequest { Group = group, RemovePeer = new RemovePeer { PeerId = peerId } }, cancellationToken);
    }

    private async Task<ClusterAnswer> AskAsync(ClusterRequest request, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(request.Group, "group");
        Completion completion =
            await _groups.RunOnAnyAsync(new ClusterOperation(request), cancellationToken).ConfigureAwait(false);
        ClusterAnswer answer = ((Completion.Administered)completion).Answer;
        return answer.Error == ErrorCode.Ok
            ? answer
            : throw new CoordinatorException(answer.Error, $"{answer.Error}. {answer.Message}".TrimEnd());
    }

    private static GroupInfo ToInfo(GroupDescription? group) => new()
    {
        Group = group?.Group ?? 0,
        LeaderPeerId = group?.LeaderPeerId is > 0 and var leader ? leader : null,
        Term = group?.Term ?? 0,
        CommitIndex = group?.CommitIndex ?? 0,
        Revision = group?.Revision ?? 0,
        Sessions = group?.Sessions ?? 0,
        FeatureLevel = group?.FeatureLevel ?? 0,
        Voters = group?.Voters ?? 0,
        VotersCaughtUp = group?.VotersCaughtUp ?? 0,
        FailuresTolerated = group?.FailuresTolerated ?? 0,
        Peers = [.. group?.Peers.Select(ToInfo) ?? []],
    };

    private static PeerInfo ToInfo(PeerDescription peer) => new()
    {
        PeerId = peer.PeerId,
        IsVoter = peer.Role == "voter",
        State = peer.State,
        Silo = peer.Silo,
        AppliedIndex = peer.AppliedIndex,
        LastIndex = peer.LastIndex,
        Detail = peer.Detail,
    };
}
