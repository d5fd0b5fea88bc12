using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Brings changes of the group's peers to their end. On each silo it removes what is stored of a peer that has left. On the
/// leader's it proposes what was made and not proposed, promotes who has caught up, puts it in the place of the peer that it
/// replaces, and replaces lost peers by itself where that is wanted (rules 1, 9). Each look finds the next step from what is
/// stored and told, so what a stop has cut short goes on after it, under any leader. Invariants: whatever it is interrupted
/// by, a peer id is never used for a second storage; no rows are deleted but those of a peer that has left for ever.
/// </summary>
internal sealed class PeerKeeper : IAsyncDisposable
{
    private readonly IPeerHost _group;
    private readonly ILogger _log;
    private readonly PeerAdder _adder;
    private readonly LostPeers _lost;
    private readonly GroupNews _news;
    private readonly CancellationTokenSource _stopping = new();
    private bool _isUnfinished = true;
    private Task _looking = Task.CompletedTask;

    public PeerKeeper(IPeerHost group, TimeProvider time, ILogger log)
    {
        _group = group;
        _log = log;
        _news = new GroupNews(group);
        _adder = new PeerAdder(group, time, log);
        _lost = new LostPeers(group, time);
    }

    /// <summary>
    /// Begins a look, unless one is under way or there is nothing to see: no news, and nothing that only takes time. Called
    /// by one at a time.
    /// </summary>
    /// <returns>Whether it is to be called again, news or none.</returns>
    public bool Look()
    {
        if (_looking.IsCompleted)
        {
            if (_stopping.IsCancellationRequested || !(_news.Take() | _isUnfinished))
                return false;
            _looking = Task.Run(TryLookAsync);
        }
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _looking;
        _stopping.Dispose();
    }

    private async Task TryLookAsync()
    {
        _isUnfinished = true;
        try
        {
            _isUnfinished = await LookAsync();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Whoever is next finds the step again.
        }
        catch (Exception problem)
        {
            // The database is away, or the group has no leader after all: the next look finds the step again.
            HostLog.ReplacementWaits(_log, _group.Group, problem);
        }
    }

    /// <returns>Whether there is more to do, news or none.</returns>
    private async Task<bool> LookAsync()
    {
        await _group.Changing.WaitAsync(_stopping.Token);
        try
        {
            GroupPicture picture = _group.Picture();
            PeerLoop? left = _group.Peers.FirstOrDefault(peer => picture.HasLeft(peer.Peer, peer.StorageId));
            if (left is not null)
                await _group.DropAsync(left, _stopping.Token);
            _group.TellNotice(picture);
            // Without a quorum nothing can be changed.
            if (_group.SettledLeader() is not { } leader)
                return left is not null;
            return leader.Membership.ConfState.VotersOutgoing.Count > 0
                || await TakeStepAsync(leader, picture) || left is not null;
        }
        finally
        {
            _group.Changing.Release();
        }
    }

    /// <returns>Whether there is more to do: what is lost or learns is looked at again, since time counts as well.</returns>
    private async Task<bool> TakeStepAsync(ReplicaStatus leader, GroupPicture picture)
    {
        GroupMembership membership = leader.Membership;
        await _lost.LookAsync(membership, picture, _stopping.Token);
        if (Unproposed(membership, picture) is { } made)
        {
            await _adder.ProposeAsync(made, _stopping.Token);
            return true;
        }
        foreach (PeerRecord peer in membership.Peers)
        {
            if (await TryFinishAsync(leader, peer, picture))
                return true;
        }
        if (_lost.Next(membership, picture) is { } lost)
            await ReplaceAsync(leader, lost);
        return _lost.Any || membership.ConfState.Learners.Count > 0
            || picture.Facts.Any(fact => fact.Purpose is { Replaces: > 0 } purpose && membership.Find(new PeerId(purpose.Replaces)) is not null);
    }

    /// <summary>A peer that was made for the group and is not listed yet.</summary>
    private PeerRecord? Unproposed(GroupMembership membership, GroupPicture picture)
    {
        GroupFact? made = membership.Peers.Count >= Limits.PeersPerGroupMax
            ? null
            : picture.Facts.FirstOrDefault(fact => fact.Purpose is not null && fact.PeerId >= membership.NextPeerId.Value);
        if (made is null)
            return null;
        PeerId id = GroupFacts.IdOf(made);
        return new PeerRecord(id, new Guid(made.StorageId.Span), _group.PlaceOf(id));
    }

    /// <summary>True: a step was taken.</summary>
    private async Task<bool> TryFinishAsync(ReplicaStatus leader, PeerRecord peer, GroupPicture picture)
    {
        GroupMembership membership = leader.Membership;
        bool learns = membership.ConfState.Learners.Contains(peer.Id);
        if (learns && _lost.IsLost(peer.Id))
            return await ChangeAsync(new PeerChange { Remove = peer.Id.Value });
        // Not heard: what it is for is known when it is.
        if (picture.FactOf(peer) is not { } fact)
            return false;
        if (fact.Purpose is null)
            return learns && await ChangeAsync(new PeerChange { Remove = peer.Id.Value });
        var replaced = new PeerId(fact.Purpose.Replaces);
        if (membership.Find(replaced) is null)
            return learns && !fact.Purpose.StaysLearner && await PromoteAsync(peer);
        return await ReplaceAsync(leader, peer, replaced, learns, picture);
    }

    /// <summary>In one joint change; but a leader goes last, when another one leads.</summary>
    private async Task<bool> ReplaceAsync(
        ReplicaStatus leader, PeerRecord peer, PeerId replaced, bool learns, GroupPicture picture)
    {
        PeerId[] rest = [.. leader.Membership.ConfState.Voters.Where(voter => voter != replaced && voter != peer.Id)];
        if (!picture.WouldServe([.. rest, peer.Id]))
            return false;
        if (replaced == leader.Peer)
        {
            LeadershipHandOver handOver = _group.HandOver(_group.LeaderTimeout);
            if (handOver.IsPossible(_group.Find(leader.Peer)!))
                return await handOver.ToAsync(PeerId.None, _stopping.Token) is null;
            return learns && await PromoteAsync(peer);
        }
        PeerChange remove = new() { Remove = replaced.Value };
        bool isDone = learns
            ? await ChangeAsync(new PeerChange { Promote = peer.Id.Value }, remove)
            : await ChangeAsync(remove);
        if (isDone)
            HostLog.PeerReplaced(_log, _group.KeyOf(replaced), peer.Id.Value);
        return isDone;
    }

    private async Task<bool> PromoteAsync(PeerRecord peer)
    {
        bool isDone = await ChangeAsync(new PeerChange { Promote = peer.Id.Value });
        if (isDone)
            HostLog.PeerVotes(_log, _group.KeyOf(peer.Id));
        return isDone;
    }

    private async Task ReplaceAsync(ReplicaStatus leader, PeerRecord lost)
    {
        ClusterAnswer answer = await _adder.AddAsync(
            new GrowGroup
            {
                Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(CommandRules.NonceBytes)),
                Silo = _group.DefaultPlace(leader.Membership, lost.Id),
                Replaces = lost.Id.Value,
            },
            _stopping.Token);
        if (answer.Error == ErrorCode.Ok)
            HostLog.PeerLost(_log, _group.KeyOf(lost.Id), answer.PeerId);
    }

    /// <summary>False: refused, or not known to have happened; the next look tells.</summary>
    private async Task<bool> ChangeAsync(params PeerChange[] changes)
    {
        var command = new Command
        {
            Caller = _group.Caller,
            ChangePeers = new ChangePeers { Changes = { changes } },
        };
        CommandAnswer answer = await _group.Gateway.ExecuteHereAsync(command, _stopping.Token);
        return answer.Result.Error == ErrorCode.Ok;
    }
}
