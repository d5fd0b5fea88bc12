using Coordinator.Contracts;
using Coordinator.Raft;
using Google.Protobuf;

namespace Coordinator.Grains.Orleans;

/// <summary>The part that knows the peers in other silos: what they tell, and what is forwarded to them.</summary>
public sealed partial class OrleansGroup
{
    private static readonly TimeSpan CatalogueInterval = TimeSpan.FromSeconds(5);

    private Task _looking = Task.CompletedTask;

    /// <summary>Founds or finds the group, and looks after its peers, until the silo stops.</summary>
    internal void Start(PeerBalancer balancer) => _looking = Task.Run(() => RunAsync(balancer));

    /// <summary>Whether every peer of the group runs somewhere, and one of them leads.</summary>
    internal bool AllRun(out PeerId leader)
    {
        GroupPicture picture = Picture();
        leader = picture.Leader;
        return !leader.IsNone && _places.Peers.All(peer => picture.Facts.Any(fact =>
            fact.PeerId == peer.Value && fact.State is "leader" or "follower"));
    }

    /// <summary>Ends the peer's stay here, after its leadership has gone to another.</summary>
    internal async Task MoveAwayAsync(PeerId peer, CancellationToken cancellationToken)
    {
        if (SeatOf(peer) is not { Loop: { } loop } seat)
            return;
        OrleansLog.PeerMoves(_log, peer.Value);
        if (Gateway.Leader() == loop)
            await HandOver(Options.HandOverTimeout).ToAsync(PeerId.None, cancellationToken);
        await seat.MoveAsync();
    }

    private async Task RunAsync(PeerBalancer balancer)
    {
        try
        {
            var founding = new OrleansFounding(_databases, _places, Options.State, Group, Time, _log);
            _founded.TrySetResult(await founding.SettleAsync(_stopping.Token));
            await Task.WhenAll([balancer.RunAsync(_stopping.Token), KeepCatalogueAsync(), .. _places.Peers.Select(LookAfterAsync)]);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The silo stops.
        }
        catch (Exception e)
        {
            OrleansLog.GroupNotOpened(_log, e);
            _founded.TrySetException(e);
        }
    }

    /// <summary>
    /// Asks the peer how it is, again and again. Whoever asks a peer that is active nowhere makes it so: this is what
    /// brings the peers of a dead silo back.
    /// </summary>
    private async Task LookAfterAsync(PeerId peer)
    {
        IRaftPeerGrain grain = _grains.GetGrain<IRaftPeerGrain>(PeerPlaces.KeyOf(Group, peer));
        SiloFacts? told = null;
        while (!_stopping.IsCancellationRequested)
        {
            if (SeatOf(peer) is { } seat)
            {
                Tell(seat);
            }
            else if (await AskAsync(peer, grain) is var now && !Equals(now, told))
            {
                told = now;
                Gateway.LeadershipChanged();
            }
            await Task.Delay(Options.LookInterval, Time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Null: it is not reached.</summary>
    private async Task<SiloFacts?> AskAsync(PeerId peer, IRaftPeerGrain grain)
    {
        string place = _places.NameOf(peer);
        try
        {
            var facts = SiloFacts.Parser.ParseFrom(await grain.GetFactsAsync().WaitAsync(_stopping.Token));
            _others.Told(place, facts);
            _reached[place] = facts.Groups.Count > 0;
            return facts;
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            OrleansLog.MessageLost(_log, peer.Value, e.Message);
            _reached[place] = false;
            _others.Lost(place);
            foreach (PeerSeat seat in _seats.Values)
                seat.Loop?.Post(new PeerInput.Unreachable(peer));
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private ClusterTransport Transport() => new()
    {
        Send = (_, envelope) => _sender.Send(envelope),
        IsUp = place => _reached.GetValueOrDefault(place),
        AskAsync = ForwardAsync,
        Tell = _ => { },
        ClusterKnown = _ => { },
    };

    /// <summary>Once: a call that failed may have been executed (rule 15).</summary>
    private async Task<ForwardedAnswer> ForwardAsync(string place, ForwardedRequest request, CancellationToken abandoned)
    {
        try
        {
            byte[] answer = await _grains.GetGrain<IRaftPeerGrain>(PeerPlaces.KeyOf(Group, _places.PeerAt(place)))
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

    /// <summary>Hands leadership over, if it is here, and stops the peers; to be called while the others are reached (rule 26).</summary>
    internal async Task HandOverAsync()
    {
        _isStopping = true;
        foreach (PeerSeat seat in _seats.Values)
            Tell(seat);
        if (Gateway.Leader() is not null)
            await HandOver(Options.HandOverTimeout).ToAsync(PeerId.None, CancellationToken.None);
        await Task.WhenAll(_seats.Values.Select(seat => seat.DisposeAsync().AsTask()));
    }

    /// <summary>The leader's silo tells the catalogue of the group's peers.</summary>
    private async Task KeepCatalogueAsync()
    {
        IGroupCatalogueGrain catalogue = _grains.GetGrain<IGroupCatalogueGrain>(Group);
        byte[]? told = null;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (Gateway.Leader() is { } leader && CatalogueEntry.Of(leader.Status) is var entry
                    && (told is null || !told.AsSpan().SequenceEqual(entry)))
                {
                    await catalogue.TellAsync(entry).WaitAsync(_stopping.Token);
                    told = entry;
                }
            }
            catch (Exception e) when (!_stopping.IsCancellationRequested)
            {
                OrleansLog.CatalogueWaits(_log, e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(CatalogueInterval, Time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
