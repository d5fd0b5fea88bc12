using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Adds a peer that an operator asks for, as a learner: its row first, then its membership (rule 1). Invariant: one nonce
/// adds one peer, however often it is asked and wherever an earlier try was cut short.
/// </summary>
internal sealed class PeerAdder(EmbeddedGroup group, string siloId, TimeSpan patience, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>Called by one at a time.</summary>
    public async Task<ClusterAnswer> AddAsync(GrowGroup request, CancellationToken cancellationToken)
    {
        if (await SettledLeaderAsync(cancellationToken) is not { } leader)
            return PeerAdministrator.Refused(ErrorCode.NoQuorum, "No leader with a quorum now; nothing was begun.");
        GroupMembership membership = leader.Membership;
        var nonce = new Guid(request.Nonce.Span, bigEndian: true);
        IReadOnlyList<PeerAddition> additions = await group.ReadAdditionsAsync(cancellationToken);
        if (additions.FirstOrDefault(addition => addition.Nonce == nonce) is { } known)
        {
            if (known.StaysLearner != request.Learner)
                return PeerAdministrator.Refused(
                    ErrorCode.RequestMismatch, "The nonce was used before, with another \"learner\".");
            if (membership.Find(known.Key.Peer)?.StorageId == known.StorageId)
                return new ClusterAnswer { PeerId = known.Key.Peer.Value };
            if (known.Key.Peer < membership.NextPeerId)
                return PeerAdministrator.Refused(
                    ErrorCode.PeerChangeRefused,
                    $"The nonce was used before, for peer {known.Key.Peer}, which is no peer of the group now: take another.");
            // The row was made, and the peer not proposed, or not known to be: the same peer is proposed again.
            if (group.Find(known.Key.Peer) is not null)
                return await ProposeAsync(known, cancellationToken);
        }
        return membership.Peers.Count >= Limits.PeersPerGroupMax
            ? PeerAdministrator.Refused(
                ErrorCode.PeerChangeRefused, $"The group has {membership.Peers.Count} peers, as many as may be.")
            : await MakeAsync(leader, nonce, request.Learner, cancellationToken);
    }

    /// <summary>A leader that has only just been elected is waited for, as any request does. Null: for too long.</summary>
    private async Task<ReplicaStatus?> SettledLeaderAsync(CancellationToken cancellationToken)
    {
        long startedAt = time.GetTimestamp();
        while (group.SettledLeader() is null && time.GetElapsedTime(startedAt) < patience)
            await group.Gateway.WaitForChangeAsync(() => group.SettledLeader() is not null, LookAgain, cancellationToken);
        return group.SettledLeader();
    }

    private async Task<ClusterAnswer> MakeAsync(
        ReplicaStatus leader, Guid nonce, bool staysLearner, CancellationToken cancellationToken)
    {
        PeerId id = leader.Membership.NextPeerId;
        var addition = new PeerAddition(
            new PeerKey(leader.Membership.Group, id), new Guid(RandomNumberGenerator.GetBytes(CommandRules.StorageIdBytes)),
            nonce, staysLearner);
        try
        {
            await group.AddBlankPeerAsync(id, addition.StorageId, addition, cancellationToken);
        }
        catch (PeerExistsException)
        {
            // Of an earlier try that was cut short; nobody lists it.
            await group.RemovePeerAsync(id, new Decider(leader.Peer, leader.Epoch), cancellationToken);
            return PeerAdministrator.Refused(ErrorCode.PeerChangeInProgress);
        }
        return await ProposeAsync(addition, cancellationToken);
    }

    /// <summary>Refused for certain, its rows are no member's, and are removed as such.</summary>
    private async Task<ClusterAnswer> ProposeAsync(PeerAddition addition, CancellationToken cancellationToken)
    {
        long id = addition.Key.Peer.Value;
        var add = new AddPeer
        {
            PeerId = id,
            StorageId = ByteString.CopyFrom(addition.StorageId.ToByteArray(bigEndian: true)),
            Silo = siloId,
        };
        CommandAnswer answer = await group.Gateway.ExecuteAsync(
            new Command { Caller = siloId, ChangePeers = new ChangePeers { Changes = { new PeerChange { Add = add } } } },
            cancellationToken);
        if (answer.Result.Error != ErrorCode.Ok)
            return PeerAdministrator.Refused(answer.Result.Error, answer.Message);
        HostLog.PeerJoins(log, id, addition.Key.Group);
        return new ClusterAnswer { PeerId = id };
    }
}
