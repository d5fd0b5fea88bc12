using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Does what operators ask of the embedded host's group. Invariant: nothing is begun that could not be found again from
/// what is stored; a peer that was added is brought to its end by <see cref="PeerReplacer"/>.
/// </summary>
internal sealed class PeerAdministrator : IAsyncDisposable
{
    private readonly EmbeddedGroup _group;
    private readonly string _siloId;
    private readonly ILogger _log;
    private readonly TimeSpan _patience;
    private readonly LeadershipTransfer _transfer;
    private readonly PeerAdder _adder;
    private readonly CancellationTokenSource _stopping = new();

    public PeerAdministrator(EmbeddedGroup group, EmbeddedGroupOptions options, TimeProvider time, ILogger log)
    {
        _group = group;
        _siloId = options.SiloId;
        _log = log;
        _patience = options.LeaderTimeout;
        _transfer = new LeadershipTransfer(group, options.LeaderTimeout, time);
        _adder = new PeerAdder(group, options.SiloId, options.LeaderTimeout, time, log);
    }

    public async Task<ClusterAnswer> ExecuteAsync(ClusterRequest request, CancellationToken abandoned)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(abandoned, _stopping.Token);
        try
        {
            return request.RequestCase switch
            {
                ClusterRequest.RequestOneofCase.Describe => Described(),
                ClusterRequest.RequestOneofCase.TransferLeadership =>
                    await TransferAsync(new PeerId(request.TransferLeadership.ToPeerId), either.Token),
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
        await _group.Changing.WaitAsync();
        _group.Changing.Release();
    }

    internal static ClusterAnswer Refused(ErrorCode code, string? message = null) =>
        new() { Error = code, Message = string.IsNullOrEmpty(message) ? ErrorText.Of(code) : message };

    /// <summary>One change at a time; once it has begun, a caller that leaves does not cut it short.</summary>
    private async Task<ClusterAnswer> ChangeAsync(Func<Task<ClusterAnswer>> change, CancellationToken cancellationToken)
    {
        if (!await _group.Changing.WaitAsync(_patience, cancellationToken))
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
            _group.Changing.Release();
        }
    }

    private ClusterAnswer Described()
    {
        ReplicaStatus[] all = [.. _group.Peers.Select(peer => peer.Status)];
        ReplicaStatus? best = _group.Gateway.Leader()?.Status
            ?? all.OrderByDescending(status => (status.Service == ServiceState.Running, status.Term, status.AppliedIndex))
                .FirstOrDefault();
        return best is null
            ? Refused(ErrorCode.NoQuorum, "No peer of the group runs here.")
            : new ClusterAnswer { Group = GroupDescriptions.Of(best, all) };
    }

    private async Task<ClusterAnswer> TransferAsync(PeerId to, CancellationToken cancellationToken) =>
        await _transfer.ToAsync(to, cancellationToken) ?? Described();

    private async Task<ClusterAnswer> RemoveAsync(PeerId peer)
    {
        // Whoever leads would step down by leaving, and the others would have to notice: rather it hands over first. If
        // nobody takes over in time, that is how it goes.
        if (_group.Gateway.Leader()?.Peer == peer)
            await _transfer.ToAsync(PeerId.None, _stopping.Token);
        var change = new ChangePeers { Changes = { new PeerChange { Remove = peer.Value } } };
        CommandAnswer answer = await _group.Gateway.ExecuteAsync(
            new Command { Caller = _siloId, ChangePeers = change }, _stopping.Token);
        if (answer.Result.Error != ErrorCode.Ok)
            return Refused(answer.Result.Error, answer.Message);
        HostLog.PeerLeaves(_log, peer.Value, answer.Position?.Group ?? 0);
        return new ClusterAnswer { PeerId = peer.Value };
    }
}
