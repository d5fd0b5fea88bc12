using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>
/// The part that knows other silos. What the links hear comes in by its methods, which never block.
/// </summary>
public sealed partial class SiloGroup
{
    private static readonly TimeSpan CampaignTurn = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan CampaignJitterMax = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan ForeignTold = TimeSpan.FromMinutes(1);

    private long _foreignToldAt;

    /// <summary>A peer's message. One that comes from another silo than its peer's is dropped.</summary>
    internal void Received(string silo, Envelope envelope)
    {
        if (Find(envelope.To) is not { } peer)
            return;
        // A peer that is not listed here is yet to be added, or has left: the replica knows which.
        if (peer.Status.Membership.Find(envelope.From) is { } sender && sender.Silo != silo)
        {
            long now = _time.GetTimestamp(), toldAt = Interlocked.Read(ref _foreignToldAt);
            if ((toldAt == 0 || _time.GetElapsedTime(toldAt, now) > ForeignTold)
                && Interlocked.CompareExchange(ref _foreignToldAt, now, toldAt) == toldAt)
                HostLog.ForeignEnvelope(_log, silo, new(Group, envelope.From), sender.Silo);
            return;
        }
        peer.TryPost(envelope);
    }

    /// <param name="own">Of this group's peers there; null: as told before.</param>
    internal void FactsReceived(string silo, SiloFacts facts, GroupFact[]? own)
    {
        Others!.Told(silo, facts, own);
        Changed();
        Gateway.LeadershipChanged();
    }

    internal void LinkUp()
    {
        Changed();
        Gateway.LeadershipChanged();
    }

    /// <summary>Who follows a leader there asks for votes at once, a little apart from the others who do (rule 26).</summary>
    internal void LinkLost(string silo)
    {
        Others!.Lost(silo);
        Changed();
        Gateway.LeadershipChanged();
        foreach (PeerLoop peer in Peers)
        {
            ReplicaStatus status = peer.Status;
            // Of a group that nobody has led yet the others may be leaving it to the first.
            PeerId awaited = status.Leader.IsNone && IsUntouched(status) ? FirstOf(status.Membership) : status.Leader;
            if (awaited == peer.Peer || status.Membership.Find(awaited)?.Silo != silo)
                continue;
            peer.Post(new PeerInput.ForgetLeader(awaited));
            if (status.Membership.ConfState.Voters.Contains(peer.Peer))
                _ = CampaignInTurnAsync(peer, CampaignTurn * TurnOf(status));
        }
    }

    /// <summary>Messages to that silo were dropped.</summary>
    internal void Unreachable(string silo)
    {
        foreach (PeerLoop peer in Peers)
        {
            // Only a leader cares; the others are not woken for nothing.
            ReplicaStatus status = peer.Status;
            foreach (PeerRecord member in status.Membership.Peers)
            {
                if (status.Role == RaftState.Leader && member.Silo == silo)
                    peer.Post(new PeerInput.Unreachable(member.Id));
            }
        }
    }

    internal void SnapshotFailed(Envelope envelope) =>
        Find(envelope.From)?.Post(new PeerInput.SnapshotFailed(envelope.To));

    /// <summary>Works on what another silo asks this group for.</summary>
    internal async Task<ForwardedAnswer> AnswerAsync(ForwardedRequest request, CancellationToken abandoned) =>
        request.RequestCase == ForwardedRequest.RequestOneofCase.MakePeer
            ? new ForwardedAnswer { PeerMade = await MakeForOtherAsync(request.MakePeer, _stopping.Token), Last = true }
            : await Gateway.AnswerForwardedAsync(request, abandoned);

    /// <summary>Hands leadership over, if it is here; to be called while the links are up (rule 26).</summary>
    internal Task HandOverAsync() => Gateway.Leader() is null
        ? Task.CompletedTask
        : HandOver(Options.HandOverTimeout).ToAsync(PeerId.None, CancellationToken.None);

    /// <summary>
    /// Of a group that nobody has led yet, the peer whose turn is first asks for votes at once: so leaders are spread from the
    /// beginning. If most of the others don't run yet it asks again with each time-out; they leave it to that one.
    /// </summary>
    internal void BeginFirstElection()
    {
        foreach (PeerLoop peer in Peers)
        {
            if (peer.Status is { Leader.IsNone: true } status && IsUntouched(status) && FirstOf(status.Membership) == peer.Peer)
                peer.Post(new PeerInput.Campaign());
        }
    }

    /// <summary>
    /// The others hold themselves back meanwhile, for a while, if that peer's silo is up: else whoever is ready first would lead.
    /// </summary>
    private void LeaveFirstElection(PeerLoop peer)
    {
        ReplicaStatus status = peer.Status;
        if (!IsUntouched(status))
            return;
        PeerId first = FirstOf(status.Membership);
        if (first != peer.Peer && status.Membership.Find(first) is { } other && Others?.IsUp(other.Silo) == true)
            peer.Post(new PeerInput.LeaveElection((long)Options.FirstTurn.TotalMicroseconds));
    }

    /// <summary>The peer whose turn is first; none: no members are known.</summary>
    private PeerId FirstOf(GroupMembership membership) => membership.Peers.Select(peer => peer.Id)
        .FirstOrDefault(peer => GroupTurns.Of(peer, Group, membership) == 0);

    private static bool IsUntouched(ReplicaStatus status) =>
        GroupBootstrap.IsUntouched(status.Term, status.LastIndex, status.SnapshotIndex);

    // One after the other: two who ask at once share the votes, and nobody leads before another time-out has passed.
    private int TurnOf(ReplicaStatus status) => status.Membership.Peers.Count(other =>
        GroupTurns.Of(other.Id, Group, status.Membership) < GroupTurns.Of(status.Peer, Group, status.Membership)
        && other.Id != status.Leader && status.Membership.ConfState.Voters.Contains(other.Id) && Others!.IsUp(other.Silo));

    private async Task CampaignInTurnAsync(PeerLoop peer, TimeSpan turn)
    {
        await Task.Delay(turn + (CampaignJitterMax * Random.Shared.NextDouble()), _time, _stopping.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stopping.IsCancellationRequested && peer.Status is { Role: RaftState.Follower, Leader.IsNone: true })
            peer.Post(new PeerInput.Campaign());
    }
}
