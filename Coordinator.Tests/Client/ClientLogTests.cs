using Coordinator.Client;
using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Client;

public sealed class ClientLogTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Every_event_has_its_message_its_level_and_an_id_that_stays()
    {
        var log = new RecordedLog();
        ClientEvent[] events =
        [
            new ClientEvent.Connected("http://a", "s"),
            new ClientEvent.NotConnected("http://a", "why", IsRepeated: false),
            new ClientEvent.NotConnected("http://a", "why", IsRepeated: true),
            new ClientEvent.SessionOpened(7, TimeSpan.FromSeconds(1)),
            new ClientEvent.SessionRefused(ErrorCode.Overloaded, "why"),
            new ClientEvent.SessionLost(7, "why", IsStopping: false),
            new ClientEvent.SessionLost(7, "why", IsStopping: true),
            new ClientEvent.SessionNotObserved(7, ErrorCode.TooManyWatches, "why"),
            new ClientEvent.HoldingLost("a", 8, "why"),
            new ClientEvent.ReleaseRequested("a", 8, "why"),
            new ClientEvent.ReleaseRefused(ErrorCode.Internal, "why"),
            new ClientEvent.LeaseLost("a", 8, "why", IsStopping: false),
        ];
        Assert.Equal(
            typeof(ClientEvent).GetNestedTypes().Length, events.Select(happened => happened.GetType()).Distinct().Count());

        foreach (ClientEvent happened in events)
            ClientLog.Write(log, 0, happened);

        Assert.Equal([4000, 4001, 4001, 4010, 4011, 4012, 4012, 4013, 4020, 4021, 4022, 4030], log.Lines.Select(line => line.Id));
        Assert.Equal(
            [4000, 4010, 4012, 4021],
            log.Lines.Where(line => line.Level == LogLevel.Information).Select(line => line.Id));
        Assert.All(log.Lines, line => Assert.DoesNotContain('{', line.Text));
    }

    [Fact]
    public async Task A_client_logs_to_the_factory_that_it_is_given_and_so_do_its_sessions()
    {
        var log = new RecordedLog();
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client =
            new CoordinatorClientBuilder().AddEndpoint(silo.Address).WithLoggerFactory(log).Build();
        await using LockHandle handle = await client.Locks.AcquireAsync("a", Patience);
        await using CoordinatorSession session = await client.Sessions.CreateAsync();

        Assert.Equal(["Coordinator.Client", "Coordinator.Client"], log.Categories);
        Assert.Contains(log.Lines, line => line.Id == 4000 && line.Text.Contains(silo.Address, StringComparison.Ordinal));
        Assert.Equal(2, log.Lines.Count(line => line.Id == 4010));
    }

    [Fact]
    public async Task A_long_outage_is_a_warning_or_two_and_not_one_an_attempt()
    {
        TaskCompletionSource many = new();
        int attempts = 0;
        var log = new RecordedLog(level =>
        {
            if (level == LogLevel.Debug && Interlocked.Increment(ref attempts) == 3)
                many.TrySetResult();
        });
        await using CoordinatorClient client = new CoordinatorClientBuilder()
            .AddEndpoint("http://127.0.0.1:1").WithRequestTimeout(Patience).WithLoggerFactory(log).Build();
        using CancellationTokenSource cancellation = new();
        Task read = client.Configuration.GetAsync("a", cancellationToken: cancellation.Token);
        await many.Task.WaitAsync(Patience);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Assert.InRange(log.Lines.Count(line => line.Level == LogLevel.Warning), 1, 2);
    }

    [Fact]
    public async Task A_logger_that_fails_costs_no_lock()
    {
        var log = new RecordedLog(_ => throw new InvalidOperationException("The disk is full."));
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client =
            new CoordinatorClientBuilder().AddEndpoint(silo.Address).WithLoggerFactory(log).Build();
        await using LockHandle handle = await client.Locks.AcquireAsync("a", Patience);
        Assert.False(handle.LostToken.IsCancellationRequested);
    }
}
