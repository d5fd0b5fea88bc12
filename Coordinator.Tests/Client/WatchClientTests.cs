using System.Collections.Concurrent;
using System.Threading.Channels;
using Coordinator.Client;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>Watches and transactions through the public members, over real sockets to a silo that does what a test says.</summary>
public sealed class WatchClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Updates_come_with_what_changed_and_go_on_after_a_broken_connection()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        Channel<(ClientFrame Frame, ChannelWriter<ServerFrame> Answers)> asked = Listen(silo);
        await using CoordinatorClient client = new(silo.Address);
        await using IAsyncEnumerator<ConfigUpdate> watch = client.Configuration
            .WatchPrefixAsync("app/", new() { FromRevision = 5, WithPrevious = true }).GetAsyncEnumerator();
        Task<bool> next = watch.MoveNextAsync().AsTask();
        (ClientFrame frame, ChannelWriter<ServerFrame> answers) = await NextAsync(asked);
        Assert.Equal(new WatchConfig { Key = "app/", IsPrefix = true, FromRevision = 5, WithPrevious = true },
            frame.Watch.Config);

        ConfigEvent deletion = new()
        {
            Entry = new Coordinator.Contracts.ConfigEntry { Key = "app/b", ModifyRevision = 5 },
            Previous = StreamHost.Put(4, "app/b").Entry,
        };
        answers.TryWrite(Answer(frame, StreamHost.Page(6, StreamHost.Put(5), deletion)));
        Assert.True(await next.WaitAsync(Patience));
        Assert.Equal(5, watch.Current.Revision);
        Assert.Equal(
            [("app/a", ConfigChangeKind.Put, 5L, 0L), ("app/b", ConfigChangeKind.Deleted, 0L, 4L)],
            watch.Current.Changes.Select(change => (change.Key, change.Kind,
                change.Entry?.ModifyRevision ?? 0, change.Previous?.ModifyRevision ?? 0)));

        next = watch.MoveNextAsync().AsTask();
        silo.Break();
        (frame, answers) = await NextAsync(asked);
        Assert.Equal(6, frame.Watch.Config.FromRevision);
        answers.TryWrite(Answer(frame, StreamHost.Page(8, StreamHost.Put(7))));
        Assert.True(await next.WaitAsync(Patience));
        Assert.Equal(7, watch.Current.Revision);
    }

    [Fact]
    public async Task What_came_before_the_end_is_delivered_before_the_exception()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        Channel<(ClientFrame Frame, ChannelWriter<ServerFrame> Answers)> asked = Listen(silo);
        await using CoordinatorClient client = new(silo.Address);
        await using IAsyncEnumerator<ConfigUpdate> watch =
            client.Configuration.WatchAsync("app/a", new() { FromRevision = 5 }).GetAsyncEnumerator();
        Task<bool> next = watch.MoveNextAsync().AsTask();
        (ClientFrame frame, ChannelWriter<ServerFrame> answers) = await NextAsync(asked);

        answers.TryWrite(Answer(frame, StreamHost.Page(6, StreamHost.Put(5))));
        answers.TryWrite(Answer(frame, new WatchPage { Error = ErrorCode.Compacted, CompactedRevision = 40 }));

        Assert.True(await next.WaitAsync(Patience));
        RevisionCompactedException e = await Assert.ThrowsAsync<RevisionCompactedException>(
            () => watch.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Equal(40, e.CompactedRevision);
    }

    [Fact]
    public async Task A_consumer_that_breaks_off_or_cancels_abandons_its_watch()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        Channel<(ClientFrame Frame, ChannelWriter<ServerFrame> Answers)> asked = Listen(silo);
        await using CoordinatorClient client = new(silo.Address);
        using CancellationTokenSource cancellation = new();
        await using IAsyncEnumerator<ConfigUpdate> cancelled = client.Configuration
            .WatchAsync("app/a", cancellationToken: cancellation.Token).GetAsyncEnumerator(CancellationToken.None);
        Task<bool> next = cancelled.MoveNextAsync().AsTask();
        ClientFrame first = (await NextAsync(asked)).Frame;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Patience));
        Assert.Equal(first.CorrelationId, (await NextAsync(asked)).Frame.CorrelationId);

        Task breaking = BreakOffAsync(client);
        (ClientFrame frame, ChannelWriter<ServerFrame> answers) = await NextAsync(asked);
        answers.TryWrite(Answer(frame, StreamHost.Page(6, StreamHost.Put(5))));
        await breaking.WaitAsync(Patience);
        ClientFrame abandon = (await NextAsync(asked)).Frame;
        Assert.NotNull(abandon.Abandon);
        Assert.Equal(frame.CorrelationId, abandon.CorrelationId);
    }

    [Fact]
    public async Task A_watch_ends_with_the_client()
    {
        CoordinatorClient client = new("http://127.0.0.1:1");
        await using IAsyncEnumerator<ConfigUpdate> watch = client.Configuration.WatchAsync("k").GetAsyncEnumerator();
        Task<bool> next = watch.MoveNextAsync().AsTask();

        await client.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => next.WaitAsync(Patience));
    }

    [Fact]
    public async Task Watches_count_among_the_open_requests()
    {
        await using CoordinatorClient client = new(
            new CoordinatorClientOptions { Endpoints = ["http://127.0.0.1:1"], OpenRequestsMax = 1 });
        await using (IAsyncEnumerator<ConfigUpdate> watch = client.Configuration.WatchAsync("k").GetAsyncEnumerator())
        {
            Task<bool> next = watch.MoveNextAsync().AsTask();
            await Assert.ThrowsAsync<TooManyOpenRequestsException>(() => client.Configuration.GetAsync("k"));
            await client.DisposeAsync();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => next.WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task A_transaction_whose_answer_was_lost_is_sent_again_and_has_no_results()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        ConcurrentQueue<Command> sent = [];
        silo.Intercept = (frame, answers) =>
        {
            if (frame.Command?.Transaction is null)
                return false;
            sent.Enqueue(frame.Command);
            if (sent.Count == 1)
                silo.Break();
            else
                answers.TryWrite(new ServerFrame
                {
                    CorrelationId = frame.CorrelationId,
                    Command = new CommandAnswer { Result = new CommandResult { Outcome = Outcome.Done, Revision = 9 } },
                });
            return true;
        };
        await using CoordinatorClient client = new(silo.Address);

        TransactionResult result = await client.Configuration.Transaction()
            .If(Check.Missing("k")).Then(Step.Put("k", "v"), Step.Get("k")).ExecuteAsync().WaitAsync(Patience);

        Assert.True(result.Succeeded);
        Assert.Equal(9, result.Revision);
        Assert.Null(result.Results);
        Assert.Equal(2, sent.Count);
        Assert.Single(sent.Distinct());
    }

    [Fact]
    public async Task What_no_cluster_would_do_is_refused_before_anything_is_sent()
    {
        await using CoordinatorClient client = new("http://127.0.0.1:1");
        CoordinatorConfiguration configuration = client.Configuration;
        Assert.Throws<ArgumentException>(() => configuration.WatchAsync("a//b"));
        Assert.Throws<ArgumentException>(() => configuration.WatchPrefixAsync("\0"));
        Assert.Throws<ArgumentOutOfRangeException>(() => configuration.WatchAsync("k", new() { FromRevision = 0 }));
        Assert.Throws<ArgumentException>(() => Check.Exists(""));
        Assert.Throws<ArgumentException>(() => Step.DeletePrefix(""));
        Assert.Throws<ArgumentException>(() => Step.Put("k", new byte[Limits.ValueBytesMax + 1]));
    }

    private static Channel<(ClientFrame, ChannelWriter<ServerFrame>)> Listen(FakeSilo silo)
    {
        Channel<(ClientFrame, ChannelWriter<ServerFrame>)> asked =
            Channel.CreateUnbounded<(ClientFrame, ChannelWriter<ServerFrame>)>();
        silo.Intercept = (frame, answers) =>
            (frame.Watch is not null || frame.Abandon is not null) && asked.Writer.TryWrite((frame, answers));
        return asked;
    }

    private static Task<(ClientFrame Frame, ChannelWriter<ServerFrame> Answers)> NextAsync(
        Channel<(ClientFrame, ChannelWriter<ServerFrame>)> asked) => asked.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    private static ServerFrame Answer(ClientFrame frame, WatchPage page) =>
        new() { CorrelationId = frame.CorrelationId, WatchPage = page };

    private static async Task BreakOffAsync(CoordinatorClient client)
    {
        await foreach (ConfigUpdate _ in client.Configuration.WatchAsync("app/a"))
            break;
    }
}
