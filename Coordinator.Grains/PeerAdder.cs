using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Adds a peer on any silo, from the leader's: first its rows, made by the silo that it is to run on, then its membership,
/// as a learner (rule 1). Invariant: one nonce adds one peer, however often it is asked and wherever an earlier try was cut
/// short; what has been made and not been proposed, the next leader proposes.
/// </summary>
internal sealed class PeerAdder(SiloGroup group, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>Called by one at a time.</summary>
    public async Task<ClusterAnswer> AddAsync(GrowGroup request, CancellationToken cancellationToken)
    {
        if (await SettledLeaderAsync(cancellationToken) is not { } leader)
        {
            return group.Others is null
                ? PeerAdministrator.Refused(ErrorCode.NoQuorum, "No leader with a quorum now; nothing was begun.")
                : PeerAdministrator.Refused(ErrorCode.NotLeader);
        }
        GroupMembership membership = leader.Membership;
        string? earlier = SiloOf(request.Nonce, membership);
        string silo = request.Silo.Length > 0 ? request.Silo : earlier ?? DefaultSilo(request, membership);
        if (earlier is not null && earlier != silo)
            return PeerAdministrator.Refused(ErrorCode.RequestMismatch, $"The nonce was used before, for silo {earlier}.");
        if (silo.Length == 0 && request.Replaces > 0)
            return NoVoter(request.Replaces);
        if (Unusable(silo) is { } unusable)
            return unusable;
        var purpose = new PeerPurpose
        {
            Nonce = request.Nonce,
            StaysLearner = request.Learner,
            Replaces = request.Replaces,
        };
        ClusterAnswer? refusal = Refusal(request, membership, silo);
        // What the nonce has made before is the answer, whatever else has become of the group since.
        PeerMade made = await MakeAsync(silo, refusal is null ? membership.NextPeerId : PeerId.None, purpose, cancellationToken);
        if (made.Error != ErrorCode.Ok)
            return PeerAdministrator.Refused(made.Error, made.Message);
        return made.PeerId == 0
            ? refusal!
            : await SettleAsync(new PeerRecord(new PeerId(made.PeerId), new Guid(made.StorageId.Span), silo), cancellationToken);
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
            new Command { Caller = group.Options.SiloId, ChangePeers = change }, cancellationToken);
        if (answer.Result.Error != ErrorCode.Ok)
            return PeerAdministrator.Refused(answer.Result.Error, answer.Message);
        HostLog.PeerJoins(log, group.KeyOf(peer.Id));
        return new ClusterAnswer { PeerId = peer.Id.Value };
    }

    /// <summary>A leader that has only just been elected is waited for, as any request does. Null: for too long.</summary>
    private async Task<ReplicaStatus?> SettledLeaderAsync(CancellationToken cancellationToken)
    {
        long startedAt = time.GetTimestamp();
        while (group.SettledLeader() is null && time.GetElapsedTime(startedAt) < group.Options.LeaderTimeout
            && (group.Others is null || group.Gateway.Leader() is not null))
            await group.Gateway.WaitForChangeAsync(() => group.SettledLeader() is not null, LookAgain, cancellationToken);
        return group.SettledLeader();
    }

    /// <summary>The silo that has a member or a made peer of this nonce. Null: none that is heard; the database knows.</summary>
    private string? SiloOf(ByteString nonce, GroupMembership membership)
    {
        if (group.Others is not { } others
            || group.Picture().Facts.FirstOrDefault(fact => fact.Purpose?.Nonce == nonce) is not { } made)
            return null;
        PeerId id = GroupFacts.IdOf(made);
        return membership.Find(id)?.Silo ?? others.SiloOrOwn(id);
    }

    private string DefaultSilo(GrowGroup request, GroupMembership membership) =>
        group.Others is null ? group.Options.SiloId : membership.Find(new PeerId(request.Replaces))?.Silo ?? "";

    private static ClusterAnswer NoVoter(long replaced) => PeerAdministrator.Refused(
        ErrorCode.PeerNotFound, $"Peer {replaced} is no voter of the group: it can't be replaced.");

    private ClusterAnswer? Unusable(string silo)
    {
        if (silo == group.Options.SiloId)
            return null;
        if (silo.Length == 0)
            return PeerAdministrator.Refused(ErrorCode.SiloNotFound, "Say in \"silo\" on which one the peer is to be.");
        if (group.Others is not { } others || !others.IsListed(silo))
        {
            return PeerAdministrator.Refused(
                ErrorCode.SiloNotFound, $"There is no silo {silo} in Coordinator:Cluster:Silos of silo {group.Options.SiloId}, which leads.");
        }
        return others.RunsAll(silo)
            ? null
            : PeerAdministrator.Refused(ErrorCode.SiloUnreachable, $"Silo {silo} is not reached, or is starting or stopping.");
    }

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
            if (group.Others is not null && peer.Silo == silo && peer.Id != replaced)
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

    private async Task<PeerMade> MakeAsync(string silo, PeerId id, PeerPurpose purpose, CancellationToken cancellationToken)
    {
        if (silo == group.Options.SiloId)
            return await group.Maker.MakeAsync(id, purpose, cancellationToken);
        var request = new MakePeer
        {
            PeerId = id.Value,
            ClusterId = ByteString.CopyFrom(group.ClusterId.ToByteArray()),
            Purpose = purpose,
        };
        // Other changes wait for this one: not for ever.
        using var limit = new CancellationTokenSource(group.Options.LeaderTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        ForwardedAnswer answer;
        try
        {
            answer = await group.Others!.AskAsync(silo, new ForwardedRequest { MakePeer = request }, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            answer = new ForwardedAnswer();
        }
        if (answer.PeerMade is { } made)
            return made;
        // Lost on the way, it may have been made all the same.
        return answer.Failure?.Code is null or ErrorCode.OutcomeUnknown
            ? new PeerMade
            {
                Error = ErrorCode.OutcomeUnknown,
                Message = $"Silo {silo} has not said whether it has made the peer. It is safe to repeat.",
            }
            : new PeerMade { Error = ErrorCode.SiloUnreachable, Message = $"Silo {silo} is not reached: {answer.Failure.Message}" };
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
