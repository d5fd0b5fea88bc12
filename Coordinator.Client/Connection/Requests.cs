using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client.Connection;

/// <summary>Requests as the public classes make them: an answer that is an error is an exception, but for those named.</summary>
internal static class Requests
{
    public static async Task<CommandResult> ExecuteAsync(
        this ClientGroups groups, Operation operation, Scope scope, CancellationToken cancellationToken,
        ErrorCode? allowed = null) =>
        ResultOf(await groups.RunAsync(operation, scope, cancellationToken).ConfigureAwait(false), allowed);

    public static async Task<CommandResult> ExecuteAsync(
        this ClientRuntime runtime, Operation operation, CancellationToken cancellationToken) =>
        ResultOf(await runtime.RunAsync(operation, cancellationToken).ConfigureAwait(false), null);

    public static async Task<QueryAnswer> ReadAsync(
        this ClientGroups groups, Query query, Scope scope, CancellationToken cancellationToken,
        ErrorCode? allowed = null)
    {
        Completion completion =
            await groups.RunAsync(new QueryOperation(query), scope, cancellationToken).ConfigureAwait(false);
        QueryAnswer answer = ((Completion.Read)completion).Answer;
        return answer.Error == ErrorCode.Ok || answer.Error == allowed
            ? answer
            : throw Refusal.Of(answer.Error, answer.Message);
    }

    private static CommandResult ResultOf(Completion completion, ErrorCode? allowed)
    {
        CommandAnswer answer = ((Completion.Answered)completion).Answer;
        CommandResult result = answer.Result ?? new CommandResult { Error = ErrorCode.Internal };
        return result.Error == ErrorCode.Ok || result.Error == allowed
            ? result
            : throw Refusal.Of(result.Error, answer.Message);
    }
}
