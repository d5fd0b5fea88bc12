using System.Runtime.CompilerServices;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;

namespace Coordinator.Silo.Http;

/// <summary>
/// What every interface passes through on its way to a group. Invariant: what reaches a group has been checked by the
/// shared rules, names nothing of another group, and names its caller; and whatever happens there comes back as an answer
/// with a code; only the caller's own leaving is an exception.
/// </summary>
/// <param name="gateways">The doors to all groups, by their numbers.</param>
internal sealed class CheckedGateway(IReadOnlyList<GroupGateway> gateways, ILogger logger)
{
    /// <summary>How many there are.</summary>
    public int Groups => gateways.Count;

    public IReadOnlyList<GroupGateway> Gateways => gateways;

    /// <summary>How sessions of the answering group are written.</summary>
    public SessionIds SessionsOf(Position? position) => new(Groups, position?.Group ?? 0);

    /// <inheritdoc cref="SessionsOf(Position?)"/>
    /// <param name="fields">Of a request that has said its group by a session.</param>
    public SessionIds SessionsOf(Fields fields) => new(Groups, fields.SaidGroup ?? 0);

    /// <param name="said">The group that the request says it is for; null: it leaves that to the names in it.</param>
    public async Task<CommandAnswer> ExecuteAsync(int? said, Command command, string caller, CancellationToken abandoned)
    {
        // First: what a client says of itself is neither believed nor checked.
        command.Caller = caller;
        if (CommandRules.CheckFromClient(command) is { } refusal)
            return Refused(refusal.Code, refusal.Message);
        GroupRoute route = GroupRules.Route(command, said, Groups);
        if (route.Refusal is { } elsewhere)
            return Refused(elsewhere.Code, elsewhere.Message);
        try
        {
            return await gateways[route.Group].ExecuteAsync(command, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.CommandFailed(e, command.OperationCase);
            // It may have been proposed before it failed, so nothing less can be said (rule 15).
            return Refused(ErrorCode.OutcomeUnknown,
                "The silo failed while it worked on the command: it may or may not have happened.");
        }
    }

    /// <inheritdoc cref="ExecuteAsync"/>
    public async Task<QueryAnswer> QueryAsync(int? said, Query query, CancellationToken abandoned)
    {
        GroupRoute route = default;
        if ((QueryRules.Check(query) ?? (route = GroupRules.Route(query, said, Groups)).Refusal) is { } refusal)
            return new QueryAnswer { Error = refusal.Code, Message = refusal.Message };
        try
        {
            return await gateways[route.Group].QueryAsync(query, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.QueryFailed(e, query.QueryCase);
            return new QueryAnswer
            {
                Error = ErrorCode.Internal,
                Message = "The silo failed while it worked on the query.",
            };
        }
    }

    public async Task<KeepAliveAnswer> KeepAliveAsync(int group, long sessionId, CancellationToken abandoned)
    {
        if (sessionId <= 0 || GroupRules.Check(group, Groups) is not null)
            return new KeepAliveAnswer { SessionId = sessionId, Error = ErrorCode.InvalidRequest };
        try
        {
            return await gateways[group].KeepAliveAsync(sessionId, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.KeepAliveFailed(e, sessionId);
            return new KeepAliveAnswer { SessionId = sessionId, Error = ErrorCode.OutcomeUnknown };
        }
    }

    /// <summary>A page with an error is the last.</summary>
    /// <inheritdoc cref="ExecuteAsync"/>
    public async IAsyncEnumerable<WatchPage> WatchAsync(
        int? said, Watch watch, [EnumeratorCancellation] CancellationToken abandoned)
    {
        GroupRoute route = default;
        if ((WatchRules.Check(watch) ?? (route = GroupRules.Route(watch, said, Groups)).Refusal) is { } refusal)
        {
            yield return new WatchPage { Error = refusal.Code, Message = refusal.Message };
            yield break;
        }
        await using IAsyncEnumerator<WatchPage> pages =
            gateways[route.Group].WatchAsync(watch, abandoned).GetAsyncEnumerator(abandoned);
        while (true)
        {
            WatchPage? failed = null;
            try
            {
                if (!await pages.MoveNextAsync())
                    yield break;
            }
            catch (Exception e) when (!IsLeaving(e, abandoned))
            {
                logger.WatchFailed(e, watch.WatchCase);
                failed = new WatchPage { Error = ErrorCode.Internal, Message = "The silo failed while it worked on the watch." };
            }
            yield return failed ?? pages.Current;
            if (failed is not null)
                yield break;
        }
    }

    public async Task<SavedGroup> SaveAsync(int group, CancellationToken abandoned)
    {
        if (GroupRules.Check(group, Groups) is { } refusal)
            return new SavedGroup(refusal.Code, refusal.Message, null);
        try
        {
            return await gateways[group].SaveAsync(group, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.SaveFailed(e, group);
            return new SavedGroup(ErrorCode.Internal, "The silo failed while it took the snapshot.", null);
        }
    }

    public async Task<ClusterAnswer> AdministerAsync(ClusterRequest request, CancellationToken abandoned)
    {
        if ((ClusterRules.Check(request) ?? GroupRules.Check(request.Group, Groups)) is { } refusal)
            return new ClusterAnswer { Error = refusal.Code, Message = refusal.Message };
        try
        {
            return await gateways[request.Group].AdministerAsync(request, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.AdministrationFailed(e, request.RequestCase);
            return new ClusterAnswer
            {
                Error = ErrorCode.OutcomeUnknown,
                Message = "The silo failed while it worked on the request: it may or may not have happened. It is safe to repeat.",
            };
        }
    }

    private static bool IsLeaving(Exception e, CancellationToken abandoned) =>
        e is OperationCanceledException && abandoned.IsCancellationRequested;

    private static CommandAnswer Refused(ErrorCode code, string message) =>
        new() { Result = new CommandResult { Error = code }, Message = message };
}
