using Coordinator.Contracts;
using Coordinator.Raft;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Does what operators ask of the group, on the leader's silo; each silo describes it. Invariant: nothing is begun that
/// could not be found again from what is stored; what was added is brought to its end by <see cref="PeerKeeper"/>.
/// </summary>
internal sealed class PeerAdministrator(IPeerHost group, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private readonly LeadershipHandOver _handOver = group.HandOver(group.LeaderTimeout);
    private readonly PeerAdder _adder = new(group, time, log);
    private readonly CancellationTokenSource _stopping = new();

    public async Task<ClusterAnswer> ExecuteAsync(ClusterRequest request, CancellationToken abandoned)
    {
        if (request.RequestCase == ClusterRequest.RequestOneofCase.Describe)
            return Described();
        // Whoever asked looks for the leader itself; in the embedded host it is here, or comes.
        if (!group.IsAlone && group.Gateway.Leader() is null)
            return Refused(group.Gateway.IsReady ? ErrorCode.NotLeader : ErrorCode.NoQuorum);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(abandoned, _stopping.Token);
        try
        {
            return request.RequestCase switch
            {
                ClusterRequest.RequestOneofCase.TransferLeadership =>
                    await _handOver.ToAsync(new PeerId(request.TransferLeadership.ToPeerId), either.Token) ?? Described(),
                ClusterRequest.RequestOneofCase.AddPeer =>
                    await ChangeAsync(() => _adder.AddAsync(request.AddPeer, _stopping.Token), either.Token),
                ClusterRequest.RequestOneofCase.RemovePeer =>
                    await ChangeAsync(() => RemoveAsync(new PeerId(request.RemovePeer.PeerId)), either.Token),
                _ => Refused(ErrorCode.InvalidRequest, "The request asks for nothing that this version knows."),
            };
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested && !abandoned.IsCancellationRequested)
        {
            // A change may have been proposed already.
            return Refused(
                ErrorCode.OutcomeUnknown, "This silo is stopping: it may or may not have happened. It is safe to repeat.");
        }
    }

    /// <summary>What is under way is waited for; nothing is begun after.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await group.Changing.WaitAsync();
        group.Changing.Release();
    }

    internal static ClusterAnswer Refused(ErrorCode code, string? message = null) =>
        new() { Error = code, Message = string.IsNullOrEmpty(message) ? ErrorText.Of(code) : message };

    /// <summary>One change at a time; once it has begun, a caller that leaves does not cut it short.</summary>
    private async Task<ClusterAnswer> ChangeAsync(Func<Task<ClusterAnswer>> change, CancellationToken cancellationToken)
    {
        if (!await group.Changing.WaitAsync(group.LeaderTimeout, cancellationToken))
            return Refused(ErrorCode.PeerChangeInProgress);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            ClusterAnswer answer = await change();
            if (answer.Error == ErrorCode.Ok)
                answer.Group = Described().Group;
            return answer;
        }
        finally
        {
            group.Changing.Release();
        }
    }

    private ClusterAnswer Described()
    {
        GroupPicture picture = group.Picture();
        return picture.Members.Count == 0
            ? Refused(ErrorCode.NoQuorum, group.Gateway.Notice ?? "No peer of the group runs here.")
            : new ClusterAnswer { Group = GroupDescriptions.Of(picture) };
    }

    private async Task<ClusterAnswer> RemoveAsync(PeerId peer)
    {
        if (group.SettledLeader()?.Membership.ConfState.Voters is { } voters && voters.Contains(peer)
            && voters.Where(voter => voter != peer).ToArray() is { Length: > 0 } rest && !group.Picture().WouldServe(rest))
            return Refused(ErrorCode.QuorumAtRisk);
        // Whoever leads would step down by leaving, and the others would have to notice: rather it hands over first. If
        // nobody takes over in time, that is how it goes.
        if (group.Gateway.Leader()?.Peer == peer)
            await _handOver.ToAsync(PeerId.None, _stopping.Token);
        var change = new ChangePeers { Changes = { new PeerChange { Remove = peer.Value } } };
        CommandAnswer answer = await group.Gateway.ExecuteAsync(
            new Command { Caller = group.Caller, ChangePeers = change }, _stopping.Token);
        if (answer.Result.Error != ErrorCode.Ok)
            return Refused(answer.Result.Error, answer.Message);
        HostLog.PeerLeaves(log, group.KeyOf(peer));
        return new ClusterAnswer { PeerId = peer.Value };
    }
}
