using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Puts a new peer in the place of one whose storage is lost, went back in time, or holds another state than the others
/// (rules 1, 9), and brings the additions that operators have asked for to their end. Each look finds the next step from
/// what is stored and what runs, so what a stop has cut short goes on after the next start. Invariants: whatever it is
/// interrupted by, a peer id is never used for a second storage; what an operator has added takes nobody's place.
/// </summary>
internal sealed class PeerReplacer : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    private readonly EmbeddedGroup _group;
    private readonly string _siloId;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly PeriodicTimer _timer;
    private readonly Task _running;

    public PeerReplacer(EmbeddedGroup group, string siloId, TimeProvider time, ILogger log)
    {
        _group = group;
        _siloId = siloId;
        _log = log;
        _timer = new PeriodicTimer(LookInterval, time);
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _timer.Dispose();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        while (await _timer.WaitForNextTickAsync(CancellationToken.None))
        {
            try
            {
                await LookAsync();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem)
            {
                // The database is away, or the group has no leader after all: the next look finds the step again.
                HostLog.ReplacementWaits(_log, problem);
            }
        }
    }

    private async Task LookAsync()
    {
        await _group.Changing.WaitAsync(_stopping.Token);
        try
        {
            // Without a quorum nothing can be replaced.
            if (_group.SettledLeader() is { } leader)
                await TakeStepAsync(leader);
        }
        finally
        {
            _group.Changing.Release();
        }
    }

    private async Task TakeStepAsync(ReplicaStatus leader)
    {
        GroupMembership membership = leader.Membership;
        // Another host may have taken the database over meanwhile, and have given a new peer the next id (rule 2).
        var decider = new Decider(leader.Peer, leader.Epoch);
        if (Left(membership) is { } left)
        {
            if (left >= membership.NextPeerId || IsKnownToQuorum(membership, leader.MembershipIndex))
                await _group.RemovePeerAsync(left, decider, _stopping.Token);
            return;
        }
        if (membership.ConfState.VotersOutgoing.Count > 0)
            return;
        PeerId? lost = Lost(membership);
        if (lost is null && membership.ConfState.Learners.Count == 0)
            return;
        PeerPurposes purposes = PeerPurposes.Of(membership, await _group.ReadAdditionsAsync(_stopping.Token));
        if (lost is { } gone)
            await ReplaceAsync(membership, purposes, gone, decider);
        else if (purposes.Unneeded is [var unneeded, ..])
            await ChangeAsync(new PeerChange { Remove = unneeded.Value });
        else if (purposes.ToVote is [var learner, ..] && await ChangeAsync(new PeerChange { Promote = learner.Value }))
            HostLog.PeerVotes(_log, learner.Value);
    }

    /// <summary>Until then voters that restart may still need the vote of a peer that has left.</summary>
    private bool IsKnownToQuorum(GroupMembership membership, long index) =>
        membership.ConfState.VotersOutgoing.Count == 0
        && membership.ConfState.Voters.Count(voter => _group.Find(voter)?.Status.StoredCommitIndex >= index)
            > membership.ConfState.Voters.Count / 2;

    /// <summary>A peer that runs here and is no member: it was removed, or its addition was cut short.</summary>
    private PeerId? Left(GroupMembership membership) => _group.Peers
        .Where(peer => membership.Find(peer.Peer) is null)
        .Select(peer => (PeerId?)peer.Peer)
        .FirstOrDefault();

    /// <summary>A member that does not run here, or must not: both for good.</summary>
    private PeerId? Lost(GroupMembership membership)
    {
        foreach (PeerRecord member in membership.Peers)
        {
            if (_group.Find(member.Id) is not { Status.Service: not ServiceState.Quarantined })
                return member.Id;
        }
        return null;
    }

    private async Task ReplaceAsync(GroupMembership membership, PeerPurposes purposes, PeerId lost, Decider decider)
    {
        if (membership.ConfState.Learners.Contains(lost))
        {
            await ChangeAsync(new PeerChange { Remove = lost.Value });
            return;
        }
        foreach (PeerId learner in purposes.Unneeded)
        {
            if (_group.Find(learner) is { Status.Service: ServiceState.Running })
            {
                if (await ChangeAsync(new PeerChange { Promote = learner.Value }, new PeerChange { Remove = lost.Value }))
                    HostLog.PeerReplaced(_log, lost.Value, learner.Value);
                return;
            }
        }
        await AddLearnerAsync(membership, lost, decider);
    }

    private async Task AddLearnerAsync(GroupMembership membership, PeerId lost, Decider decider)
    {
        PeerId id = membership.NextPeerId;
        var storageId = new Guid(RandomNumberGenerator.GetBytes(CommandRules.StorageIdBytes));
        HostLog.PeerLost(_log, lost.Value, id.Value);
        try
        {
            await _group.AddBlankPeerAsync(id, storageId, addition: null, _stopping.Token);
        }
        catch (PeerExistsException)
        {
            // Of an earlier try that was cut short. Should the group list it after all, it is lost, and replaced.
            await _group.RemovePeerAsync(id, decider, _stopping.Token);
            return;
        }
        await ChangeAsync(new PeerChange
        {
            Add = new AddPeer
            {
                PeerId = id.Value,
                StorageId = ByteString.CopyFrom(storageId.ToByteArray(bigEndian: true)),
                Silo = _siloId,
            },
        });
    }

    /// <summary>False: refused, or not known to have happened; the next look tells.</summary>
    private async Task<bool> ChangeAsync(params PeerChange[] changes)
    {
        var command = new Command { Caller = _siloId, ChangePeers = new ChangePeers { Changes = { changes } } };
        CommandAnswer answer = await _group.Gateway.ExecuteAsync(command, _stopping.Token);
        return answer.Result.Error == ErrorCode.Ok;
    }
}
