using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Adds a peer in any place, from the leader's silo: first its rows, made where they are to be, then its membership, as a
/// learner (rule 1). Invariant: one nonce adds one peer, however often it is asked and wherever an earlier try was cut
/// short; what has been made and not been proposed, the next leader proposes.
/// </summary>
internal sealed class PeerAdder(IPeerHost group, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>Called by one at a time.</summary>
    public async Task<ClusterAnswer> AddAsync(GrowGroup request, CancellationToken cancellationToken)
    {
        if (await SettledLeaderAsync(cancellationToken) is not { } leader)
        {
            return group.IsAlone
                ? PeerAdministrator.Refused(ErrorCode.NoQuorum, "No leader with a quorum now; nothing was begun.")
                : PeerAdministrator.Refused(ErrorCode.NotLeader);
        }
        GroupMembership membership = leader.Membership;
        string? earlier = SiloOf(request.Nonce, membership);
        string silo = request.Silo.Length > 0 ? request.Silo
            : earlier ?? group.DefaultPlace(membership, new PeerId(request.Replaces));
        if (earlier is not null && earlier != silo)
            return PeerAdministrator.Refused(ErrorCode.RequestMismatch, $"The nonce was used before, for silo {earlier}.");
        if (silo.Length == 0 && request.Replaces > 0)
            return NoVoter(request.Replaces);
        if (group.Unusable(silo) is { } unusable)
            return unusable;
        var purpose = new PeerPurpose
        {
            Nonce = request.Nonce,
            StaysLearner = request.Learner,
            Replaces = request.Replaces,
        };
        ClusterAnswer? refusal = Refusal(request, membership, silo);
        // What the nonce has made before is the answer, whatever else has become of the group since.
        PeerMade made = await group.MakeAsync(
            silo, refusal is null ? membership.NextPeerId : PeerId.None, purpose, cancellationToken);
        if (made.Error != ErrorCode.Ok)
            return PeerAdministrator.Refused(made.Error, made.Message);
        if (made.PeerId == 0)
            return refusal!;
        return await SettleAsync(
            new PeerRecord(
                new PeerId(made.PeerId), new Guid(made.StorageId.Span), made.Silo.Length > 0 ? made.Silo : silo),
            cancellationToken);
    }

    /// <summary>Refused or lost, its rows wait: they are proposed again, or are no member's once its id is used up.</summary>
    public async Task<ClusterAnswer> ProposeAsync(PeerRecord peer, CancellationToken cancellationToken)
    {
        var add = new AddPeer
        {
            PeerId = peer.Id.Value,
            StorageId = ByteString.CopyFrom(peer.StorageId.ToByteArray(bigEndian: true)),
            Silo = peer.Silo,
        };
        var change = new ChangePeers { Changes = { new PeerChange { Add = add } } };
        // Here or not at all: who leads elsewhere by now looks for itself what is made and not proposed.
        CommandAnswer answer = await group.Gateway.ExecuteHereAsync(
            new Command { Caller = group.Caller, ChangePeers = change }, cancellationToken);
        if (answer.Result.Error != ErrorCode.Ok)
            return PeerAdministrator.Refused(answer.Result.Error, answer.Message);
        HostLog.PeerJoins(log, group.KeyOf(peer.Id));
        return new ClusterAnswer { PeerId = peer.Id.Value };
    }

    /// <summary>A leader that has only just been elected is waited for, as any request does. Null: for too long.</summary>
    private async Task<ReplicaStatus?> SettledLeaderAsync(CancellationToken cancellationToken)
    {
        long startedAt = time.GetTimestamp();
        while (group.SettledLeader() is null && time.GetElapsedTime(startedAt) < group.LeaderTimeout
            && (group.IsAlone || group.Gateway.Leader() is not null))
            await group.Gateway.WaitForChangeAsync(() => group.SettledLeader() is not null, LookAgain, cancellationToken);
        return group.SettledLeader();
    }

    /// <summary>The silo that has a member or a made peer of this nonce. Null: none that is heard; the database knows.</summary>
    private string? SiloOf(ByteString nonce, GroupMembership membership)
    {
        if (group.IsAlone || group.Picture().Facts.FirstOrDefault(fact => fact.Purpose?.Nonce == nonce) is not { } made)
            return null;
        PeerId id = GroupFacts.IdOf(made);
        return membership.Find(id)?.Silo ?? group.PlaceOf(id);
    }

    private static ClusterAnswer NoVoter(long replaced) => PeerAdministrator.Refused(
        ErrorCode.PeerNotFound, $"Peer {replaced} is no voter of the group: it can't be replaced.");

    /// <summary>Why there can be no new peer; null: there can.</summary>
    private ClusterAnswer? Refusal(GrowGroup request, GroupMembership membership, string silo)
    {
        if (membership.ConfState.VotersOutgoing.Count > 0)
            return PeerAdministrator.Refused(ErrorCode.PeerChangeInProgress);
        var replaced = new PeerId(request.Replaces);
        if (!replaced.IsNone && !membership.ConfState.Voters.Contains(replaced))
            return NoVoter(request.Replaces);
        if (!replaced.IsNone && group.Picture().Facts.FirstOrDefault(fact => fact.Purpose?.Replaces == replaced.Value) is { } other)
            return PeerAdministrator.Refused(ErrorCode.PeerChangeInProgress, $"Peer {other.PeerId} is taking the place of peer {replaced}.");
        foreach (PeerRecord peer in membership.Peers)
        {
            if (!group.IsAlone && peer.Silo == silo && peer.Id != replaced)
            {
                return PeerAdministrator.Refused(
                    ErrorCode.PeerChangeRefused,
                    $"Silo {silo} has peer {peer.Id} of the group: it has one at most. \"replaces\" puts a new one in its place.");
            }
        }
        return membership.Peers.Count >= Limits.PeersPerGroupMax
            ? PeerAdministrator.Refused(
                ErrorCode.PeerChangeRefused, $"The group has {membership.Peers.Count} peers, as many as may be.")
            : null;
    }

    private async Task<ClusterAnswer> SettleAsync(PeerRecord peer, CancellationToken cancellationToken)
    {
        // Asking may have taken long: what is so now counts.
        if (group.SettledLeader()?.Membership is not { } membership)
            return PeerAdministrator.Refused(ErrorCode.OutcomeUnknown);
        if (membership.Find(peer.Id)?.StorageId == peer.StorageId)
            return new ClusterAnswer { PeerId = peer.Id.Value };
        return peer.Id < membership.NextPeerId
            ? PeerAdministrator.Refused(
                ErrorCode.PeerChangeRefused,
                $"The nonce was used before, for peer {peer.Id}, which is no peer of the group now: take another.")
            : await ProposeAsync(peer, cancellationToken);
    }
}
