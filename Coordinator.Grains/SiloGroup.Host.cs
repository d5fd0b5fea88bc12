using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>The part that changes of the group's peers are made with; a place is a silo.</summary>
public sealed partial class SiloGroup
{
    Guid IPeerHost.ClusterId => ClusterId;

    string IPeerHost.Caller => Options.SiloId;

    bool IPeerHost.IsAlone => Others is null;

    TimeSpan IPeerHost.LeaderTimeout => Options.LeaderTimeout;

    TimeSpan? IPeerHost.ReplaceLostAfter => Others is null ? TimeSpan.Zero : Options.ReplaceLostPeersAfter;

    IReadOnlyList<PeerLoop> IPeerHost.Peers => Peers;

    long IPeerHost.Version => Version;

    SemaphoreSlim IPeerHost.Changing => Changing;

    GroupPicture IPeerHost.Picture() => Picture();

    LeadershipHandOver IPeerHost.HandOver(TimeSpan limit) => HandOver(limit);

    string IPeerHost.PlaceOf(PeerId peer) =>
        Find(peer) is null && Others is { } others ? others.SiloOrOwn(peer) : Options.SiloId;

    string IPeerHost.DefaultPlace(GroupMembership membership, PeerId replaced) =>
        Others is null ? Options.SiloId : membership.Find(replaced)?.Silo ?? "";

    ClusterAnswer? IPeerHost.Unusable(string place)
    {
        if (place == Options.SiloId)
            return null;
        if (place.Length == 0)
            return PeerAdministrator.Refused(ErrorCode.SiloNotFound, "Say in \"silo\" on which one the peer is to be.");
        if (Others is not { } others || !others.IsListed(place))
        {
            return PeerAdministrator.Refused(
                ErrorCode.SiloNotFound, $"There is no silo {place} in Coordinator:Cluster:Silos of silo {Options.SiloId}, which leads.");
        }
        return others.RunsAll(place)
            ? null
            : PeerAdministrator.Refused(ErrorCode.SiloUnreachable, $"Silo {place} is not reached, or is starting or stopping.");
    }

    async Task<PeerMade> IPeerHost.MakeAsync(
        string place, PeerId id, PeerPurpose purpose, CancellationToken cancellationToken)
    {
        if (place == Options.SiloId)
            return await _maker.MakeAsync(id, purpose, cancellationToken);
        var request = new MakePeer
        {
            PeerId = id.Value,
            ClusterId = ByteString.CopyFrom(ClusterId.ToByteArray()),
            Purpose = purpose,
        };
        // Other changes wait for this one: not for ever.
        using var limit = new CancellationTokenSource(Options.LeaderTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        ForwardedAnswer answer;
        try
        {
            answer = await Others!.AskAsync(place, new ForwardedRequest { MakePeer = request }, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            answer = new ForwardedAnswer();
        }
        if (answer.PeerMade is { } made)
            return made;
        // Lost on the way, it may have been made all the same.
        return answer.Failure?.Code is null or ErrorCode.OutcomeUnknown
            ? PeerMaker.Refused(
                ErrorCode.OutcomeUnknown, $"Silo {place} has not said whether it has made the peer. It is safe to repeat.")
            : PeerMaker.Refused(ErrorCode.SiloUnreachable, $"Silo {place} is not reached: {answer.Failure.Message}");
    }

    /// <summary>A silo that runs all that its database has, and not this one.</summary>
    ValueTask<bool?> IPeerHost.IsGoneAsync(PeerRecord peer, CancellationToken cancellationToken) =>
        ValueTask.FromResult<bool?>(peer.Silo == Options.SiloId || Others is null || Others.RunsAll(peer.Silo));

    async Task IPeerHost.DropAsync(PeerLoop peer, CancellationToken cancellationToken)
    {
        HostLog.PeerLeft(_log, peer.Key);
        peer.Retire();
        // The rows go first: a peer that is not in the list any more would be forgotten with its rows left behind.
        await Storage.RemovePeerAsync(peer.Key, peer.StorageId, cancellationToken);
        if (!_peers.TryRemove(KeyValuePair.Create(peer.Peer, peer)))
            return;
        AttachPeers();
        await peer.DisposeAsync();
        PeerActivation.Forget(peer.StorageId, Options.Witness, _log);
    }

    void IPeerHost.TellNotice(GroupPicture picture)
    {
        if (Others is null)
            return;
        string? notice = null;
        if (_listed.Count == 0)
        {
            MemberFact? lost = picture.Members.FirstOrDefault(member => member.Silo == Options.SiloId);
            if (lost is not null && Gateway.Notice?.Contains("is lost", StringComparison.Ordinal) != true)
                HostLog.PeerIsLost(_log, Options.SiloId, new(Group, new PeerId(lost.PeerId)));
            notice = lost is not null
                ? $"The database of silo {Options.SiloId} is not the one that its peer {lost.PeerId} was stored in: that peer "
                    + "is lost, and does not come back from an empty database, which has forgotten what the peer has promised. "
                    + "This silo serves without one, through the others, until the peer is replaced."
                : $"Silo {Options.SiloId} has no peer of the group, and serves through the others. One can be added.";
        }
        Gateway.Notice = notice;
    }

    /// <summary>For the leader's silo, which is another one.</summary>
    private async Task<PeerMade> MakeForOtherAsync(MakePeer request, CancellationToken cancellationToken)
    {
        if (request.ClusterId.Length != 16 || new Guid(request.ClusterId.Span) != ClusterId || !AllRun)
            return PeerMaker.Refused(ErrorCode.SiloUnreachable, $"Silo {Options.SiloId} is starting, or of another cluster.");
        if (request.Purpose is not { Nonce.Length: CommandRules.NonceBytes })
            return PeerMaker.Refused(ErrorCode.InvalidRequest, "It doesn't say what the peer is for.");
        // Not for ever: two who both take themselves for the leader's silo may ask each other.
        if (!await Changing.WaitAsync(Options.LeaderTimeout, cancellationToken))
            return PeerMaker.Refused(ErrorCode.PeerChangeInProgress);
        try
        {
            return await _maker.MakeAsync(new PeerId(request.PeerId), request.Purpose, cancellationToken);
        }
        finally
        {
            Changing.Release();
        }
    }
}
