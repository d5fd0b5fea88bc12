using System.Runtime.CompilerServices;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Silo.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Silo;

/// <summary>What watches pass through on their way to the group.</summary>
public sealed class CheckedGatewayWatchTests
{
    private static readonly Watch Valid = new() { Config = new WatchConfig { Key = "k" } };

    [Fact]
    public async Task What_is_no_watch_is_refused_before_the_group_hears_of_it()
    {
        var group = new PagesThenFailure(pages: 1);

        WatchPage page = Assert.Single(await ReadAsync(group, new Watch { Config = new WatchConfig() }));

        Assert.Equal((ErrorCode.InvalidName, false), (page.Error, group.IsAsked));
    }

    [Fact]
    public async Task What_fails_in_the_silo_is_a_last_page_that_says_so()
    {
        List<WatchPage> pages = await ReadAsync(new PagesThenFailure(pages: 2), Valid);

        Assert.Equal([ErrorCode.Ok, ErrorCode.Ok, ErrorCode.Internal], pages.Select(page => page.Error));
    }

    [Fact]
    public async Task Only_the_callers_own_leaving_is_an_exception()
    {
        using var leave = new CancellationTokenSource();
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => ReadAsync(new PagesThenFailure(pages: 0), Valid, leave.Token));
    }

    private static async Task<List<WatchPage>> ReadAsync(GroupGateway group, Watch watch, CancellationToken abandoned = default)
    {
        var pages = new List<WatchPage>();
        await foreach (WatchPage page in new CheckedGateway([group], NullLogger.Instance).WatchAsync(0, watch, abandoned))
            pages.Add(page);
        return pages;
    }

    private sealed class PagesThenFailure(int pages) : GroupGateway
    {
        public bool IsAsked { get; private set; }

        public override async IAsyncEnumerable<WatchPage> WatchAsync(
            Watch watch, [EnumeratorCancellation] CancellationToken abandoned)
        {
            IsAsked = true;
            for (int i = 0; i < pages; i++)
            {
                await Task.Yield();
                yield return new WatchPage();
            }
            abandoned.ThrowIfCancellationRequested();
            throw new InvalidOperationException("Planted.");
        }
    }
}
