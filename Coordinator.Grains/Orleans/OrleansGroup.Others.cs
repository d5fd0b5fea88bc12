using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Google.Protobuf;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>The part that knows the peers in other silos: what they tell, and what is forwarded to them.</summary>
internal sealed partial class OrleansGroup
{
    /// <summary>A leader that has just been elected tells so within a look or two.</summary>
    private static readonly TimeSpan UnheardMax = TimeSpan.FromSeconds(1);

    private readonly Lock _publishing = new();
    private readonly Dictionary<PeerId, ToldPeer> _elsewhere = [];
    private PeerId _unheard;
    private long _unheardSince;

    /// <summary>Whether every peer of the group runs somewhere, and one of them leads.</summary>
    public bool AllRun(out PeerId leader)
    {
        GroupPicture picture = Picture();
        leader = picture.Leader;
        return picture.IsCalm;
    }

    /// <summary>The silo that it is active on, as far as this one knows; null: none.</summary>
    public SiloAddress? WhereIs(PeerId peer)
    {
        if (_seats.ContainsKey(peer))
            return _silo.Address;
        lock (_publishing)
            return _elsewhere.GetValueOrDefault(peer)?.Silo;
    }

    /// <summary>What is heard of a peer elsewhere; does not block.</summary>
    /// <param name="told">Null: nobody who is reached tells of it.</param>
    public void Told(PeerId peer, ToldPeer? told)
    {
        lock (_publishing)
        {
            if (Equals(_elsewhere.GetValueOrDefault(peer), told))
                return;
            if (told is null)
                _elsewhere.Remove(peer);
            else
                _elsewhere[peer] = told;
        }
        Interlocked.Increment(ref _version);
        Publish(peer);
        // Only a leader cares.
        if (told is null && Gateway.Leader() is { } leader)
            leader.Post(new PeerInput.Unreachable(peer));
        Gateway.LeadershipChanged();
    }

    /// <summary>Nothing is to be handed over to the peers here from now on.</summary>
    public void TellStopping()
    {
        foreach (PeerSeat seat in Seats)
            Publish(seat.Key.Peer);
    }

    /// <summary>
    /// Called now and then, by one at a time. No link tells when a leader is gone, and followers at rest miss nothing: so its
    /// silo has to be heard to say that it leads, or those who rest here are told to forget it (rule 24). A follower that
    /// forgets one which is there all the same asks in vain for votes, and finds it again.
    /// </summary>
    public void LookForLeader()
    {
        PeerId missing = default;
        foreach (PeerLoop peer in Peers)
        {
            if (peer.Status is { IsQuiesced: true, Leader.IsNone: false } status && status.Leader != peer.Peer
                && !IsHeardToLead(status.Leader, status.Term))
                missing = status.Leader;
        }
        if (missing != _unheard)
            (_unheard, _unheardSince) = (missing, Time.GetTimestamp());
        if (missing.IsNone || Time.GetElapsedTime(_unheardSince) < UnheardMax)
            return;
        _unheard = default;
        foreach (PeerLoop peer in Peers)
            peer.Post(new PeerInput.ForgetLeader(missing));
    }

    /// <summary>Ends the peer's stay here, after its leadership has gone to another.</summary>
    public async Task MoveAwayAsync(PeerId peer, SiloAddress silo, CancellationToken cancellationToken)
    {
        if (SeatOf(peer) is not { Loop: { } loop } seat)
            return;
        OrleansLog.PeerMoves(_log, seat.Key.ToString(), silo.ToString());
        if (Gateway.Leader() == loop)
            await HandOver(Options.HandOverTimeout).ToAsync(PeerId.None, cancellationToken);
        await seat.MoveAsync(silo);
    }

    /// <summary>Hands leadership over, if it is here, and stops the peers; to be called while the others are reached (rule 26).</summary>
    public async Task HandOverAsync()
    {
        if (Gateway.Leader() is not null)
            await HandOver(Options.HandOverTimeout).ToAsync(PeerId.None, CancellationToken.None);
        await Task.WhenAll(Seats.Select(seat => seat.DisposeAsync().AsTask()));
    }

    private bool IsHeardToLead(PeerId leader, Term term)
    {
        if (SeatOf(leader)?.Loop is { } here)
            return here.Status is { Service: ServiceState.Running, Role: RaftState.Leader };
        lock (_publishing)
            return _elsewhere.GetValueOrDefault(leader)?.Fact is { } fact && GroupFacts.Leads(fact) && fact.Term >= term.Value;
    }

    private ClusterTransport Transport() => new()
    {
        Send = (_, envelope) => _silo.Send(envelope),
        IsUp = place => _silo.Places.PeersAt(Group, place).Any(IsUp),
        AskAsync = ForwardAsync,
        Tell = _ => { },
        ClusterKnown = _ => { },
    };

    private bool IsUp(PeerId peer)
    {
        if (SeatOf(peer) is { } seat)
            return seat.Runs;
        lock (_publishing)
            return _elsewhere.ContainsKey(peer);
    }

    private void Publish(PeerId peer)
    {
        if (PlaceOf(peer) is { Length: > 0 } place)
            Publish(place);
    }

    /// <summary>A peer that runs here is looked at, and told of to nobody here.</summary>
    private void Publish(string place)
    {
        lock (_publishing)
        {
            IReadOnlyList<PeerId> there = _silo.Places.PeersAt(Group, place);
            ToldPeer[] told = [.. there.Where(one => !_seats.ContainsKey(one))
                .Select(one => _elsewhere.GetValueOrDefault(one)).OfType<ToldPeer>()];
            bool isStopping = told.Any(one => one.IsStopping) || (_silo.IsStopping && there.Any(_seats.ContainsKey));
            if (there.Count > 0 && !_others.IsListed(place))
                _others.List(Members());
            _others.Told(place, new SiloFacts { Stopping = isStopping }, [.. told.Select(one => one.Fact)]);
        }
    }

    /// <summary>The peer in that place that leads, or would know who does.</summary>
    private PeerId PeerAt(string place)
    {
        PeerId found = default;
        lock (_publishing)
        {
            foreach (PeerId peer in _silo.Places.PeersAt(Group, place))
            {
                if (found.IsNone || (_elsewhere.GetValueOrDefault(peer) is { } told && GroupFacts.Leads(told.Fact)))
                    found = peer;
            }
        }
        return found;
    }

    /// <summary>Once: a call that failed may have been executed (rule 15).</summary>
    private async Task<ForwardedAnswer> ForwardAsync(string place, ForwardedRequest request, CancellationToken abandoned)
    {
        try
        {
            byte[] answer = await _silo.GrainOf(new(Group, PeerAt(place)))
                .AskAsync(request.ToByteArray(), abandoned).WaitAsync(abandoned);
            return ForwardedAnswer.Parser.ParseFrom(answer);
        }
        catch (Exception e) when (!abandoned.IsCancellationRequested)
        {
            return new ForwardedAnswer
            {
                Last = true,
                Failure = new Failure
                {
                    Code = ErrorCode.OutcomeUnknown,
                    Message = $"The leader's silo has not answered: {e.Message}",
                },
            };
        }
    }
}
