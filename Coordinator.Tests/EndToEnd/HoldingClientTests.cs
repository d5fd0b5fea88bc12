using Coordinator.Client;
using Coordinator.Contracts;

namespace Coordinator.Tests.EndToEnd;

/// <summary>Everything that the client can hold, against a real silo.</summary>
[Collection(SiloProcesses.Name)]
public sealed class HoldingClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Locks_several_at_once_described_listed_asked_for_and_forced()
    {
        using SiloHome home = new();
        await using SiloProcess silo = await StartAsync(home);
        await using CoordinatorClient first = ClientOf(home, "first");
        await using CoordinatorClient second = ClientOf(home, "second");
        LockHandle both = await first.Locks.AcquireAllAsync(
            ["l/a", "l/b"], new AcquireOptions { Wait = Patience, Label = "two", TraceId = "trace" });
        Assert.Equal(["l/a", "l/b"], both.Names);
        Assert.Null(await second.Locks.TryAcquireAllAsync(["l/c", "l/b"]));
        Task<LockHandle> waiting = second.Locks.AcquireAsync("l/a", Patience);
        HoldingDescription seen = await DescribeUntilAsync(first.Locks, "l/a", lockOf => lockOf.Waiters.Count == 1);
        HolderDescription holder = Assert.Single(seen.Holders);
        Assert.Equal((both.FencingToken, both.SessionId, "two", "trace", "first"),
            (holder.FencingToken, holder.SessionId, holder.Label, holder.TraceId, holder.SessionMetadata));
        Assert.Equal(["l/a", "l/b"], await NamesAsync(first.Locks.ListAsync("l/")));

        LockNotAcquiredException late = await Assert.ThrowsAsync<LockNotAcquiredException>(
            () => second.Locks.AcquireAllAsync(["l/c", "l/b"], TimeSpan.FromMilliseconds(50)));
        Assert.Equal("l/b", late.Name);
        Assert.Equal(both.FencingToken, Assert.Single(late.Description!.Holders).FencingToken);
        Assert.Contains("(first, two)", late.Message, StringComparison.Ordinal);

        Assert.True(await second.Locks.RequestReleaseAsync("l/b", "please"));
        Assert.Equal("please", Assert.Single((await first.Locks.DescribeAsync("l/b"))!.Holders).ReleaseReason);
        await CancelledAsync(both.ReleaseRequested);
        Assert.Equal("please", both.ReleaseReason);
        Assert.False(both.LostToken.IsCancellationRequested);
        Assert.True(await second.Locks.ForceReleaseAsync("l/a", "stuck", both.FencingToken));
        await CancelledAsync(both.LostToken);
        Assert.False(await second.Locks.ForceReleaseAsync("nobody/has", "stuck"));
        await using LockHandle next = await waiting.WaitAsync(Patience);
        Assert.True(next.FencingToken > both.FencingToken);
        await both.DisposeAsync();
        Assert.Null(await first.Locks.DescribeAsync("l/b"));
        ForcedReleaseEntry forced = Assert.Single(await ToListAsync(first.Locks.ListForcedReleasesAsync()));
        Assert.Equal(("l/a", both.FencingToken, "stuck", "two"), (forced.Name, forced.FencingToken, forced.Reason, forced.Label));
    }

    [Fact]
    public async Task Locks_entered_again_and_held_for_a_limited_time()
    {
        using SiloHome home = new();
        await using SiloProcess silo = await StartAsync(home);
        await using CoordinatorClient first = ClientOf(home, "first");
        await using CoordinatorClient second = ClientOf(home, "second");
        LockHandle outer = await first.Locks.AcquireAsync("a", Patience);
        LockHandle inner = await first.Locks.AcquireAsync("a", new AcquireOptions { Wait = Patience, IsReentrant = true });
        Assert.Equal(outer.FencingToken, inner.FencingToken);
        await outer.DisposeAsync();
        Assert.Null(await second.Locks.TryAcquireAsync("a"));

        Task<LockHandle> waiting = second.Locks.AcquireAsync(
            "a", new AcquireOptions { Wait = Patience, MaxHold = TimeSpan.FromSeconds(2) });
        await DescribeUntilAsync(first.Locks, "a", lockOf => lockOf.Waiters.Count == 1);
        // Longer than the maximum hold: the hold counts from the grant, not from here.
        await Task.Delay(TimeSpan.FromSeconds(2.5));
        // A moment of the wall clock, as ValidUntil is; the grant comes after it.
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        await inner.DisposeAsync();
        LockHandle limited = await waiting.WaitAsync(Patience);
        Assert.False(limited.LostToken.IsCancellationRequested);
        Assert.InRange(limited.ValidUntil, before + TimeSpan.FromSeconds(0.2), TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(2));
        await CancelledAsync(limited.LostToken);
        await using LockHandle next = await first.Locks.AcquireAsync("a", Patience);
        Assert.True(next.FencingToken > limited.FencingToken);
        await limited.ReleaseAsync();
    }

    [Fact]
    public async Task Readers_writers_upgrades_and_downgrades()
    {
        using SiloHome home = new();
        await using SiloProcess silo = await StartAsync(home);
        await using CoordinatorClient first = ClientOf(home, "first");
        await using CoordinatorClient second = ClientOf(home, "second");
        ReaderWriterLockHandle read = await first.ReaderWriterLocks.AcquireReadLockAsync("rw", Patience);
        ReaderWriterLockHandle also = (await first.ReaderWriterLocks.TryAcquireReadLockAsync("rw"))!;
        ReaderWriterLockHandle other = await second.ReaderWriterLocks.AcquireReadLockAsync("rw", Patience);
        Assert.True(read.IsShared);
        Assert.Equal((read.FencingToken, read.FencingToken), (other.Floor, also.FencingToken));
        Assert.Null(await second.ReaderWriterLocks.TryAcquireWriteLockAsync("rw"));
        Assert.False(await read.TryUpgradeAsync());

        await also.DisposeAsync();
        Task upgrading = read.UpgradeAsync(Patience);
        await DescribeUntilAsync(first.ReaderWriterLocks, "rw", lockOf => lockOf.Waiters is [{ IsUpgrade: true }]);
        CoordinatorException refused =
            await Assert.ThrowsAsync<CoordinatorException>(() => other.UpgradeAsync(Patience));
        Assert.Equal(ErrorCode.UpgradeInProgress, refused.Code);
        long shared = read.FencingToken;
        await other.DisposeAsync();
        await upgrading.WaitAsync(Patience);
        Assert.True(!read.IsShared && read.FencingToken > shared);
        Assert.Equal(read.FencingToken, read.Floor);
        Assert.Null(await second.ReaderWriterLocks.TryAcquireReadLockAsync("rw"));

        await read.DowngradeAsync();
        Assert.True(read.IsShared);
        await using (await second.ReaderWriterLocks.AcquireReadLockAsync("rw", Patience))
            await read.DisposeAsync();
        await using ReaderWriterLockHandle write = await second.ReaderWriterLocks.AcquireWriteLockAsync("rw", Patience);
        Assert.False(write.IsShared);
    }

    [Fact]
    public async Task Semaphores_elections_and_sessions()
    {
        using SiloHome home = new();
        await using SiloProcess silo = await StartAsync(home);
        await using CoordinatorClient first = ClientOf(home, "first");
        await using SemaphoreHandle one = await first.Semaphores.AcquireAsync("s", limit: 3, permits: 1, Patience);
        await using SemaphoreHandle two = (await first.Semaphores.TryAcquireAsync("s", limit: 3, permits: 2))!;
        Assert.Equal((2, one.FencingToken), (two.Permits, two.Floor));
        Assert.Null(await first.Semaphores.TryAcquireAsync("s", limit: 3));
        Assert.Equal(ErrorCode.LimitMismatch, (await Assert.ThrowsAsync<CoordinatorException>(
            () => first.Semaphores.TryAcquireAsync("s", limit: 4))).Code);
        Assert.Equal(3, (await first.Semaphores.DescribeAsync("s"))!.Limit);

        await using CoordinatorSession session = await first.Sessions.CreateAsync(TimeSpan.FromSeconds(20), "the other");
        Assert.Null(await first.Elections.GetLeaderAsync("e"));
        await using IAsyncEnumerator<Leader?> observed = first.Elections.ObserveAsync("e").GetAsyncEnumerator();
        Assert.True(await observed.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Null(observed.Current);
        LeadershipHandle leads = await first.Elections.CampaignAsync("e", "first", Patience);
        Assert.Null(await session.Elections.TryCampaignAsync("e", "second"));
        Task<LeadershipHandle> campaign = session.Elections.CampaignAsync("e", "second", Patience);
        await DescribeUntilAsync(first.Elections, "e", election => election.Waiters.Count == 1);
        Assert.True(await observed.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Equal((leads.FencingToken, "first"), (observed.Current!.FencingToken, observed.Current.Value));
        await leads.ProclaimAsync("again");
        Assert.True(await observed.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Equal("again", observed.Current.Value);
        Assert.Equal("again", (await first.Elections.GetLeaderAsync("e"))!.Value);
        Assert.Equal(ErrorCode.CandidateNotFound, (await Assert.ThrowsAsync<CoordinatorException>(
            () => leads.HandOverAsync(1))).Code);
        await leads.HandOverAsync(session.Id);
        await using LeadershipHandle successor = await campaign.WaitAsync(Patience);
        Leader leader = (await first.Elections.GetLeaderAsync("e"))!;
        Assert.Equal((session.Id, successor.FencingToken, "second"), (leader.SessionId, leader.FencingToken, leader.Value));
        Assert.Equal(ErrorCode.LockNotHeld, (await Assert.ThrowsAsync<CoordinatorException>(
            () => leads.ProclaimAsync("too late"))).Code);

        await using LockHandle mine = await session.Locks.AcquireAsync("mine", Patience);
        SessionDescription described = (await first.Sessions.DescribeAsync(session.Id))!;
        Assert.Equal(("the other", TimeSpan.FromSeconds(20)), (described.Metadata, described.Ttl));
        Assert.Equal(["mine"], described.Held);
        Assert.Equal(2, (await ToListAsync(first.Sessions.ListAsync())).Count);
        Assert.True(session.ValidUntil > TimeProvider.System.GetUtcNow());
        await session.DisposeAsync();
        Assert.True(session.LostToken.IsCancellationRequested && successor.LostToken.IsCancellationRequested);
        Assert.Null(await first.Sessions.DescribeAsync(session.Id));
        Assert.Null(await first.Elections.GetLeaderAsync("e"));
    }

    [Fact]
    public async Task Leases_that_renew_themselves_and_such_that_do_not()
    {
        using SiloHome home = new();
        await using SiloProcess silo = await StartAsync(home);
        await using CoordinatorClient first = ClientOf(home, "first");
        await using CoordinatorClient second = ClientOf(home, "second");
        LeaseHandle renewed = await first.Leases.AcquireAsync("renewed", "job-7", TimeSpan.FromSeconds(1));
        LeaseHandle brief = await first.Leases.AcquireAsync("brief", "job-8", TimeSpan.FromSeconds(1), renews: false);
        Assert.Null(await second.Leases.TryAcquireAsync("renewed", "job-9", TimeSpan.FromSeconds(5)));
        LockNotAcquiredException taken = await Assert.ThrowsAsync<LockNotAcquiredException>(
            () => second.Leases.AcquireAsync("renewed", "job-9", TimeSpan.FromSeconds(5)));
        Assert.Contains("job-7", taken.Message, StringComparison.Ordinal);
        await brief.RenewAsync();

        await CancelledAsync(brief.LostToken);
        LeaseHandle? next = null;
        await UntilAsync(async () =>
            (next = await second.Leases.TryAcquireAsync("brief", "job-9", TimeSpan.FromSeconds(5))) is not null);
        Assert.True(next!.FencingToken > brief.FencingToken);
        Assert.Equal(ErrorCode.LeaseNotFound,
            (await Assert.ThrowsAsync<CoordinatorException>(() => brief.RenewAsync())).Code);
        Assert.False(renewed.LostToken.IsCancellationRequested);
        Assert.Equal(TimeSpan.FromSeconds(5), await first.Leases.RenewAsync("brief", next.FencingToken));
        Assert.True(await first.Leases.ReleaseAsync("brief", next.FencingToken));
        Assert.False(await first.Leases.ReleaseAsync("brief", next.FencingToken));
        await renewed.DisposeAsync();
        Assert.Null(await second.Leases.DescribeAsync("renewed"));
        await brief.DisposeAsync();
        await next.DisposeAsync();
    }

    [Fact]
    public async Task Every_kind_of_holding_and_of_wait_outlives_a_killed_silo()
    {
        using SiloHome home = new();
        SiloProcess silo = await StartAsync(home);
        await using CoordinatorClient holder = ClientOf(home, "holder");
        await using CoordinatorClient waiter = ClientOf(home, "waiter");
        await using CoordinatorSession session = await holder.Sessions.CreateAsync(Patience);
        HoldingHandle[] held =
        [
            await holder.Locks.AcquireAllAsync(["a", "b"], Patience),
            await session.ReaderWriterLocks.AcquireReadLockAsync("rw", Patience),
            await holder.Semaphores.AcquireAsync("s", limit: 2, permits: 2, Patience),
            await holder.Elections.CampaignAsync("e", "holder", Patience),
        ];
        LeaseHandle lease = await holder.Leases.AcquireAsync("lease", "holder", Patience);
        Task<HoldingHandle>[] waits =
        [
            Of(waiter.Locks.AcquireAllAsync(["b", "c"], Patience * 4)),
            Of(waiter.ReaderWriterLocks.AcquireWriteLockAsync("rw", Timeout.InfiniteTimeSpan)),
            Of(waiter.Semaphores.AcquireAsync("s", limit: 2, permits: 1, Patience * 4)),
            Of(waiter.Elections.CampaignAsync("e", "waiter", Patience * 4)),
        ];
        await UntilAsync(async () =>
            (await ToListAsync(holder.Sessions.ListAsync())).Sum(described => described.Waiting) == waits.Length);

        await silo.KillAsync();
        await silo.DisposeAsync();
        silo = await StartAsync(home);
        await using SiloProcess second = silo;
        Assert.DoesNotContain(held, handle => handle.LostToken.IsCancellationRequested);
        Assert.False(lease.LostToken.IsCancellationRequested);
        await lease.RenewAsync();
        Assert.DoesNotContain(waits, wait => wait.IsCompleted);

        foreach (HoldingHandle handle in held)
            await handle.DisposeAsync();
        HoldingHandle[] granted = await Task.WhenAll(waits).WaitAsync(Patience);
        foreach ((HoldingHandle before, HoldingHandle after) in held.Zip(granted))
        {
            Assert.True(after.FencingToken > before.FencingToken);
            await after.DisposeAsync();
        }
        await lease.DisposeAsync();
        Assert.Empty(await NamesAsync(holder.Leases.ListAsync()));
        Assert.Empty(await NamesAsync(holder.Locks.ListAsync()));
    }

    private static async Task<HoldingHandle> Of<T>(Task<T> acquiring) where T : HoldingHandle => await acquiring;

    private static async Task<SiloProcess> StartAsync(SiloHome home)
    {
        SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        return silo;
    }

    private static CoordinatorClient ClientOf(SiloHome home, string name) => new CoordinatorClientBuilder()
        .AddEndpoint(home.Address.ToString())
        .WithClientName(name)
        .WithSessionTtl(TimeSpan.FromSeconds(30))
        .WithRequestTimeout(TimeSpan.FromSeconds(60))
        .Build();

    private static async Task<List<T>> ToListAsync<T>(IAsyncEnumerable<T> items)
    {
        List<T> list = [];
        await foreach (T item in items)
            list.Add(item);
        return list;
    }

    private static async Task<string[]> NamesAsync(IAsyncEnumerable<HoldingDescription> holdings) =>
        [.. (await ToListAsync(holdings)).Select(holding => holding.Name)];

    private static async Task<HoldingDescription> DescribeUntilAsync(
        CoordinatorHoldings holdings, string name, Func<HoldingDescription, bool> isWanted)
    {
        HoldingDescription? description = null;
        await UntilAsync(async () => (description = await holdings.DescribeAsync(name)) is not null && isWanted(description));
        return description!;
    }

    private static async Task CancelledAsync(CancellationToken token)
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (token.Register(cancelled.SetResult))
            await cancelled.Task.WaitAsync(Patience, CancellationToken.None);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
            await Task.Delay(20, patience.Token);
    }
}
