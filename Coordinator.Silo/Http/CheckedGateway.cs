using System.Runtime.CompilerServices;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;

namespace Coordinator.Silo.Http;

/// <summary>
/// What every interface passes through on its way to the group. Invariant: what reaches the group has been checked
/// by the shared rules and names its caller, and whatever happens there comes back as an answer with a code; only
/// the caller's own leaving is an exception.
/// </summary>
internal sealed class CheckedGateway(GroupGateway gateway, ILogger logger)
{
    public GroupGateway Group => gateway;

    public async Task<CommandAnswer> ExecuteAsync(Command command, string caller, CancellationToken abandoned)
    {
        // First: what a client says of itself is neither believed nor checked.
        command.Caller = caller;
        if (CommandRules.CheckFromClient(command) is { } refusal)
            return Refused(refusal.Code, refusal.Message);
        try
        {
            return await gateway.ExecuteAsync(command, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.CommandFailed(e, command.OperationCase);
            // It may have been proposed before it failed, so nothing less can be said (rule 15).
            return Refused(ErrorCode.OutcomeUnknown,
                "The silo failed while it worked on the command: it may or may not have happened.");
        }
    }

    public async Task<QueryAnswer> QueryAsync(Query query, CancellationToken abandoned)
    {
        if (QueryRules.Check(query) is { } refusal)
            return new QueryAnswer { Error = refusal.Code, Message = refusal.Message };
        try
        {
            return await gateway.QueryAsync(query, abandoned);
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

    public async Task<KeepAliveAnswer> KeepAliveAsync(long sessionId, CancellationToken abandoned)
    {
        if (sessionId <= 0)
            return new KeepAliveAnswer { SessionId = sessionId, Error = ErrorCode.InvalidRequest };
        try
        {
            return await gateway.KeepAliveAsync(sessionId, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.KeepAliveFailed(e, sessionId);
            return new KeepAliveAnswer { SessionId = sessionId, Error = ErrorCode.OutcomeUnknown };
        }
    }

    /// <summary>A page with an error is the last.</summary>
    public async IAsyncEnumerable<WatchPage> WatchAsync(
        Watch watch, [EnumeratorCancellation] CancellationToken abandoned)
    {
        if (WatchRules.Check(watch) is { } refusal)
        {
            yield return new WatchPage { Error = refusal.Code, Message = refusal.Message };
            yield break;
        }
        await using IAsyncEnumerator<WatchPage> pages =
            gateway.WatchAsync(watch, abandoned).GetAsyncEnumerator(abandoned);
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
        try
        {
            return await gateway.SaveAsync(group, abandoned);
        }
        catch (Exception e) when (!IsLeaving(e, abandoned))
        {
            logger.SaveFailed(e, group);
            return new SavedGroup(ErrorCode.Internal, "The silo failed while it took the snapshot.", null);
        }
    }

    public async Task<ClusterAnswer> AdministerAsync(ClusterRequest request, CancellationToken abandoned)
    {
        if (ClusterRules.Check(request) is { } refusal)
            return new ClusterAnswer { Error = refusal.Code, Message = refusal.Message };
        try
        {
            return await gateway.AdministerAsync(request, abandoned);
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
