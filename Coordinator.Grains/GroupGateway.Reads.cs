using Coordinator.Contracts;

namespace Coordinator.Grains;

public partial class GroupGateway
{
    private async Task<QueryAnswer> QueryAsync(Query query, Errand errand, CancellationToken abandoned)
    {
        while (true)
        {
            LeaderSeat? seat = query.Serializable && AnyRunning() is { } any
                ? new LeaderSeat.Here(any)
                : await FindAsync(() => SeatOfReader(errand.IsForwarded), errand, abandoned);
            QueryAnswer answer = seat is LeaderSeat.There there
                ? await ForwardAsync(there.Silo, query, abandoned)
                : await QueryHereAsync(query, seat as LeaderSeat.Here, errand, abandoned);
            if (seat is null || !IsWorthAnotherLeader(answer.Error))
                return answer;
            await ReaderMovedAsync(seat, abandoned);
        }
    }

    private async Task<QueryAnswer> QueryHereAsync(
        Query query, LeaderSeat.Here? seat, Errand errand, CancellationToken abandoned)
    {
        if (seat is null)
            return new QueryAnswer { Position = NowhereYet(), Error = NoLeaderCodeFor(errand), Message = NoLeaderText };
        var future = new QueryFuture(query);
        return seat.Peer.TryPost(future)
            ? await future.Answer.WaitAsync(abandoned)
            : new QueryAnswer { Position = NowhereYet(), Error = FullCode, Message = OverloadedText };
    }

    private async Task<KeepAliveAnswer> KeepAliveAsync(long sessionId, Errand errand, CancellationToken abandoned)
    {
        while (true)
        {
            LeaderSeat? seat = await FindLeaderAsync(errand, abandoned);
            KeepAliveAnswer answer = seat is LeaderSeat.There there
                ? await ForwardAsync(there.Silo, sessionId, abandoned)
                : await KeepAliveHereAsync(sessionId, seat as LeaderSeat.Here, errand, abandoned);
            if (answer.Error == ErrorCode.SessionNotFound)
                _sessions.Ended(sessionId, "not found");
            if (seat is null || !IsWorthAnotherLeader(answer.Error))
                return answer;
            await LeaderMovedAsync(seat, abandoned);
        }
    }

    private async Task<KeepAliveAnswer> KeepAliveHereAsync(
        long sessionId, LeaderSeat.Here? seat, Errand errand, CancellationToken abandoned)
    {
        if (seat is null)
            return new KeepAliveAnswer { SessionId = sessionId, Error = NoLeaderCodeFor(errand) };
        var future = new KeepAliveFuture(sessionId);
        return seat.Peer.TryPost(future)
            ? await future.Answer.WaitAsync(abandoned)
            : new KeepAliveAnswer { SessionId = sessionId, Error = FullCode };
    }

    /// <summary>As <see cref="LeaderMovedAsync"/>, for whoever served the read.</summary>
    private Task ReaderMovedAsync(LeaderSeat refused, CancellationToken abandoned) =>
        SeatOfReader(isForwarded: false) == refused ? ChangedAsync(_changed, abandoned) : Task.CompletedTask;
}
