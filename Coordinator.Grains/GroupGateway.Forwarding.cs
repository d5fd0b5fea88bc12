using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// The part that knows other silos: a request whose leader is on another one is handed over to it, once. Invariant: what
/// may have reached the other silo is never sent to a second one (rule 15), and what came from another silo is not sent on.
/// </summary>
public partial class GroupGateway
{
    private readonly OtherSilos? _others;

    internal GroupGateway(int group, TimeSpan leaderTimeout, TimeProvider time, OtherSilos others)
        : this(group, leaderTimeout, time) => _others = others;

    /// <summary>Why no peer runs in this silo; null: one does, or that is nothing special.</summary>
    internal string? Notice { get; set; }

    /// <summary>Serves what another silo has forwarded.</summary>
    internal async Task<ForwardedAnswer> AnswerForwardedAsync(ForwardedRequest request, CancellationToken abandoned)
    {
        Errand errand = new(_time.GetTimestamp(), IsForwarded: true);
        var answer = new ForwardedAnswer { Last = true };
        switch (request.RequestCase)
        {
            case ForwardedRequest.RequestOneofCase.Command:
                answer.Command = await ExecuteAsync(request.Command, errand, abandoned);
                break;
            case ForwardedRequest.RequestOneofCase.Query:
                answer.Query = await QueryAsync(request.Query, errand, abandoned);
                break;
            case ForwardedRequest.RequestOneofCase.KeepAlive:
                answer.KeepAlive = await KeepAliveAsync(request.KeepAlive.SessionId, errand, abandoned);
                break;
            case ForwardedRequest.RequestOneofCase.Watch:
                answer.WatchPage = await NextPageHereAsync(request.Watch, abandoned);
                break;
            case ForwardedRequest.RequestOneofCase.Cluster:
                answer.Cluster = await AdministerAsync(request.Cluster, errand, abandoned);
                break;
            default:
                answer.Failure = new Failure
                {
                    Code = ErrorCode.InvalidRequest,
                    Message = $"A request {request.RequestCase} is not forwarded.",
                };
                break;
        }
        return answer;
    }

    /// <summary>For what only the leader does. Null: nobody is known to lead.</summary>
    private LeaderSeat? SeatOfLeader(bool isForwarded)
    {
        if (Leader() is { } leader)
            return new LeaderSeat.Here(leader);
        return isForwarded || _others?.LeadersSilo(LocalStatus()) is not { } silo ? null : new LeaderSeat.There(silo);
    }

    /// <summary>A follower that knows its leader serves reads itself; without one here, the leader's silo does.</summary>
    private LeaderSeat? SeatOfReader(bool isForwarded)
    {
        if (_others is not null)
        {
            foreach (PeerLoop peer in _peers)
            {
                // One that has left, and knows it, would wait for an answer that nobody gives.
                if (peer.Status is { Service: ServiceState.Running, Leader.IsNone: false } status
                    && status.Membership.Find(peer.Peer) is not null)
                    return new LeaderSeat.Here(peer);
            }
        }
        return SeatOfLeader(isForwarded);
    }

    /// <summary>Of the peer here that knows most. Null: there is none.</summary>
    private ReplicaStatus? LocalStatus()
    {
        ReplicaStatus? best = null;
        foreach (PeerLoop peer in _peers)
        {
            ReplicaStatus status = peer.Status;
            if (best is null || GroupPicture.Rank(status).CompareTo(GroupPicture.Rank(best)) > 0)
                best = status;
        }
        return best;
    }

    /// <summary>On the leader if that is here now, and by no other silo.</summary>
    internal Task<CommandAnswer> ExecuteHereAsync(Command command, CancellationToken abandoned) =>
        ExecuteAsync(command, new Errand(_time.GetTimestamp(), IsForwarded: true), abandoned);

    private bool IsLeaderServing() =>
        _others?.LeadersSilo(LocalStatus()) is { } silo && _others.Serves(silo);

    private async Task<CommandAnswer> ForwardAsync(string silo, Command command, CancellationToken abandoned)
    {
        ForwardedAnswer answer = await _others!.AskAsync(silo, new ForwardedRequest { Command = command }, abandoned);
        CommandAnswer told = answer.Command ?? new CommandAnswer
        {
            Position = NowhereYet(),
            Result = new CommandResult { Error = CodeOf(answer) },
            Message = answer.Failure?.Message ?? "",
        };
        told.LeaderHint = _others.UrlOf(silo);
        // It stops, and has proposed nothing; this silo goes on, and asks the next leader.
        if (told.Result.Error == ErrorCode.Stopping)
            told.Result.Error = ErrorCode.NotLeader;
        return told;
    }

    private async Task<QueryAnswer> ForwardAsync(string silo, Query query, CancellationToken abandoned)
    {
        ForwardedAnswer answer = await _others!.AskAsync(silo, new ForwardedRequest { Query = query }, abandoned);
        QueryAnswer told = answer.Query ?? new QueryAnswer
        {
            Position = NowhereYet(),
            Error = CodeOf(answer),
            Message = answer.Failure?.Message ?? "",
        };
        // A read that was lost has changed nothing: it is asked again.
        told.Error = OrAskAgain(told.Error);
        told.LeaderHint = _others.UrlOf(silo);
        return told;
    }

    private async Task<KeepAliveAnswer> ForwardAsync(string silo, long sessionId, CancellationToken abandoned)
    {
        var request = new ForwardedRequest { KeepAlive = new SessionKeepAlive { SessionId = sessionId } };
        ForwardedAnswer answer = await _others!.AskAsync(silo, request, abandoned);
        KeepAliveAnswer told =
            answer.KeepAlive ?? new KeepAliveAnswer { SessionId = sessionId, Error = CodeOf(answer) };
        // Said twice it means the same: one that was lost is said again.
        told.Error = OrAskAgain(told.Error);
        return told;
    }

    /// <summary>One page. Null: this silo stops.</summary>
    private async Task<WatchPage?> ForwardAsync(string silo, Watch watch, CancellationToken abandoned)
    {
        // It may be long until the other silo has something to tell.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(abandoned, _stopping.Token);
        try
        {
            ForwardedAnswer answer = await _others!.AskAsync(silo, new ForwardedRequest { Watch = watch }, either.Token);
            // A page that was lost has moved nothing: the same is asked for again.
            return answer.WatchPage ?? new WatchPage
            {
                Position = NowhereYet(),
                Error = OrAskAgain(CodeOf(answer)),
                Message = answer.Failure?.Message ?? "",
            };
        }
        catch (OperationCanceledException) when (!abandoned.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<ClusterAnswer> ForwardAsync(string silo, ClusterRequest cluster, CancellationToken abandoned)
    {
        ForwardedAnswer answer = await _others!.AskAsync(silo, new ForwardedRequest { Cluster = cluster }, abandoned);
        return answer.Cluster ?? new ClusterAnswer { Error = CodeOf(answer), Message = answer.Failure?.Message ?? "" };
    }

    private static ErrorCode OrAskAgain(ErrorCode code) =>
        code is ErrorCode.OutcomeUnknown or ErrorCode.Stopping ? ErrorCode.NotLeader : code;

    /// <summary>A link that was not there has done nothing: another leader may be asked.</summary>
    private static ErrorCode CodeOf(ForwardedAnswer answer) => answer.Failure?.Code switch
    {
        null => ErrorCode.OutcomeUnknown,
        ErrorCode.NoQuorum => ErrorCode.NotLeader,
        ErrorCode code => code,
    };
}
