using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Links;

public sealed class ForwardingTests
{
    private static readonly ForwardedRequest Request = new() { Group = 3, KeepAlive = new SessionKeepAlive { SessionId = 9 } };

    [Fact]
    public async Task A_request_is_answered_under_its_own_number_small_or_large()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo a = await cluster.StartAsync("a");
        LinkedSilo b = await cluster.StartAsync("b", handlers: handlers => handlers with
        {
            Answer = call =>
            {
                byte[] value = call.Request.Command.PutConfig.Value.ToByteArray();
                call.Reply(new ForwardedAnswer { Command = new CommandAnswer { Message = $"{call.Silo} {value.Length}" }, Last = true });
                return Task.CompletedTask;
            },
        });
        await LinkedCluster.UntilLinkedAsync(a, b);
        int[] sizes = [0, 100, 1 << 20, 5, 40_000, 1 << 20, 7];
        ForwardedAnswer[] answers = await Task.WhenAll(sizes.Select(size => a.Links.AskAsync("b", new ForwardedRequest
        {
            Command = new Command { PutConfig = new PutConfig { Value = ByteString.CopyFrom(new byte[size]) } },
        }, CancellationToken.None)));
        Assert.Equal(sizes.Select(size => $"a {size}"), answers.Select(answer => answer.Command.Message));
    }

    [Fact]
    public async Task A_watch_is_answered_until_its_caller_leaves_and_the_other_silo_is_told()
    {
        await using LinkedCluster cluster = new("a", "b");
        TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedSilo b = await cluster.StartAsync("b");
        LinkedSilo a = await cluster.StartAsync("a", handlers: handlers => handlers with
        {
            Answer = async call =>
            {
                for (long revision = 1; revision <= 10; revision++)
                    call.Reply(new ForwardedAnswer { WatchPage = new WatchPage { NextRevision = revision } });
                await using CancellationTokenRegistration registration = call.Abandoned.Register(left.SetResult);
                await Task.Delay(Timeout.Infinite, call.Abandoned);
            },
        });
        await LinkedCluster.UntilLinkedAsync(a, b);
        List<long> pages = [];
        await foreach (ForwardedAnswer answer in b.Links.ForwardAsync("a", Request, CancellationToken.None))
        {
            pages.Add(answer.WatchPage.NextRevision);
            if (pages.Count == 10)
                break;
        }
        Assert.Equal(Enumerable.Range(1, 10).Select(page => (long)page), pages);
        await left.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_lost_link_leaves_the_outcome_unknown_and_ends_the_work()
    {
        await using LinkedCluster cluster = new("a", "b");
        TaskCompletionSource began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedSilo a = await cluster.StartAsync("a");
        LinkedSilo b = await cluster.StartAsync("b", handlers: handlers => handlers with
        {
            Answer = async call =>
            {
                await using CancellationTokenRegistration registration = call.Abandoned.Register(ended.SetResult);
                began.SetResult();
                await Task.Delay(Timeout.Infinite, call.Abandoned);
            },
        });
        await LinkedCluster.UntilLinkedAsync(a, b);
        Task<ForwardedAnswer> asking = a.Links.AskAsync("b", Request, CancellationToken.None);
        await began.Task.WaitAsync(TimeSpan.FromSeconds(60));
        cluster.Relay("a", "b").Cut();
        Assert.Equal(ErrorCode.OutcomeUnknown, (await asking.WaitAsync(TimeSpan.FromSeconds(60))).Failure.Code);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Without_a_link_nothing_is_done_and_a_fault_of_the_other_silo_is_unknown()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo a = await cluster.StartAsync("a");
        Assert.Equal(ErrorCode.NoQuorum, (await a.Links.AskAsync("b", Request, CancellationToken.None)).Failure.Code);
        LinkedSilo b = await cluster.StartAsync("b", handlers: handlers => handlers with
        {
            Answer = _ => throw new InvalidOperationException("a fault"),
        });
        await LinkedCluster.UntilLinkedAsync(a, b);
        Assert.Equal(ErrorCode.OutcomeUnknown, (await a.Links.AskAsync("b", Request, CancellationToken.None)).Failure.Code);
        Assert.True(b.Logged("a fault"));
        Assert.True(a.IsUp("b"));
        ForwardedAnswer nothing = await a.Links.AskAsync("b", new ForwardedRequest(), CancellationToken.None);
        Assert.Equal(ErrorCode.InvalidRequest, nothing.Failure.Code);
    }

    [Fact]
    public async Task Past_their_limits_requests_and_unread_answers_are_refused()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo a = await cluster.StartAsync("a", options => options with { OpenRequestsMax = 2, UnreadAnswersMax = 4 });
        LinkedSilo b = await cluster.StartAsync("b", handlers: handlers => handlers with
        {
            Answer = async call =>
            {
                for (int i = 0; call.Request.Watch is not null && i < 100; i++)
                    call.Reply(new ForwardedAnswer { WatchPage = new WatchPage { NextRevision = i } });
                await Task.Delay(Timeout.Infinite, call.Abandoned);
            },
        });
        await LinkedCluster.UntilLinkedAsync(a, b);
        using CancellationTokenSource leaving = new();
        Task<ForwardedAnswer> first = a.Links.AskAsync("b", Request, leaving.Token);
        Task<ForwardedAnswer> second = a.Links.AskAsync("b", Request, leaving.Token);
        Assert.Equal(ErrorCode.Overloaded, (await a.Links.AskAsync("b", Request, CancellationToken.None)).Failure.Code);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        await using IAsyncEnumerator<ForwardedAnswer> slow = a.Links
            .ForwardAsync("b", new ForwardedRequest { Watch = new Watch() }, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await slow.MoveNextAsync());
        long before = b.Links.StatusOf("a").MessagesSent;
        await LinkedCluster.UntilAsync(() => b.Links.StatusOf("a").MessagesSent >= before + 3);
        ForwardedAnswer last = slow.Current;
        while (await slow.MoveNextAsync())
            last = slow.Current;
        Assert.Equal(ErrorCode.Overloaded, last.Failure.Code);
    }
}
