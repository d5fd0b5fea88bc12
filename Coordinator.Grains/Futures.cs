using Coordinator.Contracts;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>A command with the task that its caller awaits.</summary>
internal sealed class CommandFuture(Command command) : CommandTicket(command, command.ToByteArray())
{
    private readonly TaskCompletionSource<CommandAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<long> _queued = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<CommandAnswer> Answer => _answer.Task;

    /// <summary>The index that names the wait, once the acquire is known to wait in the log.</summary>
    public Task<long> Queued => _queued.Task;

    public void SetAnswer(CommandAnswer answer) => _answer.TrySetResult(answer);

    public void SetQueued(long waitIndex) => _queued.TrySetResult(waitIndex);
}

/// <summary>A read with the task that its caller awaits.</summary>
internal sealed class QueryFuture(Query query) : QueryTicket(query)
{
    private readonly TaskCompletionSource<QueryAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<QueryAnswer> Answer => _answer.Task;

    public void SetAnswer(QueryAnswer answer) => _answer.TrySetResult(answer);
}

/// <summary>A keep-alive with the task that its caller awaits.</summary>
internal sealed class KeepAliveFuture(long sessionId) : KeepAliveTicket(sessionId)
{
    private readonly TaskCompletionSource<KeepAliveAnswer> _answer =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<KeepAliveAnswer> Answer => _answer.Task;

    public void SetAnswer(KeepAliveAnswer answer) => _answer.TrySetResult(answer);
}

/// <summary>A request for the next page of a watch, with the task that its caller awaits.</summary>
internal sealed class WatchFuture(Watch watch) : WatchTicket(watch)
{
    private readonly TaskCompletionSource<WatchPage> _page = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The page may be another watch's too: it is only read.</summary>
    public Task<WatchPage> Page => _page.Task;

    public void SetPage(WatchPage page) => _page.TrySetResult(page);
}

/// <summary>A snapshot to be kept, with the task that its caller awaits.</summary>
internal sealed class SaveFuture : SaveTicket
{
    private readonly TaskCompletionSource<SaveOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<SaveOutcome> Outcome => _outcome.Task;

    public void SetOutcome(SaveOutcome outcome) => _outcome.TrySetResult(outcome);
}
