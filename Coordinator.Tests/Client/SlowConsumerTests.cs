using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>Consumers that fall behind cost a bounded memory here, nothing at the silo, and lose nothing.</summary>
public sealed class SlowConsumerTests
{
    [Fact]
    public void Too_many_revisions_that_wait_put_the_watch_off_until_they_are_taken()
    {
        StreamHost watch = new(from: 1);
        watch.Receive(StreamHost.Page(4098, [.. Enumerable.Range(1, 4097).Select(i => StreamHost.Put(i))]));

        Assert.Equal(watch.Asked.CorrelationId, watch.Host.Take().CorrelationId);
        watch.Receive(StreamHost.Page(4099, StreamHost.Put(4098)));
        Assert.Equal(4097, watch.Items.Count);

        long bytes = watch.Items.Take(3073).Sum(item => item.Bytes);
        watch.Take(3000, 3000 * watch.Items[0].Bytes);
        Assert.Empty(watch.Host.Sent);
        watch.Take(73, bytes - 3000 * watch.Items[0].Bytes);

        Assert.Equal(4098, watch.TakeWatch().Watch.Config.FromRevision);
        watch.Receive(StreamHost.Page(4099, StreamHost.Put(4098)));
        Assert.Equal(Enumerable.Range(1, 4098).Select(i => (long)i), watch.Delivered);
    }

    [Fact]
    public void Too_many_bytes_that_wait_put_the_watch_off_and_the_half_revision_after_them_comes_whole_later()
    {
        StreamHost watch = new(from: 1);
        const int Megabyte = 1024 * 1024;
        for (int revision = 1; revision <= 3; revision++)
            watch.Receive(StreamHost.Page(revision + 1, StreamHost.Put(revision, bytes: Megabyte)));
        Assert.Empty(watch.Host.Sent);
        WatchPage page = StreamHost.Page(5, StreamHost.Put(4, bytes: Megabyte), StreamHost.Put(5));
        page.Continues = true;
        watch.Receive(page);
        Assert.NotNull(watch.Host.Take().Abandon);

        watch.Take(4, watch.Items.Sum(item => item.Bytes));

        Assert.Equal(5, watch.TakeWatch().Watch.Config.FromRevision);
        watch.Receive(StreamHost.Page(6, StreamHost.Put(5), StreamHost.Put(5, "app/b")));
        Assert.Equal([1, 2, 3, 4, 5], watch.Delivered);
        Assert.Equal(2, watch.Items[^1].Events.Count);
    }

    [Fact]
    public void A_watch_that_was_put_off_is_not_asked_for_on_a_new_connection()
    {
        StreamHost watch = PutOff();
        watch.Host.Submit(new SessionStream(7));
        Assert.NotNull(watch.Host.Take().Watch.Session);
        watch.Host.Disconnect();
        watch.Host.Connect();
        Assert.NotNull(watch.Host.Take().Watch.Session);
        Assert.Empty(watch.Host.Sent);

        watch.Take(4097, watch.Items.Sum(item => item.Bytes));

        Assert.Equal(4098, watch.TakeWatch().Watch.Config.FromRevision);
    }

    [Fact]
    public void What_was_compacted_while_a_watch_was_put_off_ends_it_by_that_name()
    {
        StreamHost watch = PutOff();
        watch.Take(4097, watch.Items.Sum(item => item.Bytes));
        watch.TakeWatch();

        watch.Refuse(ErrorCode.Compacted);

        Assert.Equal(new Completion.StreamEnded(ErrorCode.Compacted, "", 9), watch.End);
    }

    [Fact]
    public void A_watch_that_is_cancelled_while_put_off_stays_away()
    {
        StreamHost watch = PutOff();

        watch.Host.Cancel(watch.Stream);
        watch.Take(4097, watch.Items.Sum(item => item.Bytes));

        Assert.IsType<Completion.Cancelled>(watch.End);
        Assert.Empty(watch.Host.Sent);
    }

    [Fact]
    public void A_watch_that_was_put_off_ends_with_the_client()
    {
        StreamHost watch = PutOff();

        watch.Host.Shutdown();

        Assert.IsType<Completion.Stopped>(watch.End);
        Assert.True(watch.Host.IsStopped);
    }

    private static StreamHost PutOff()
    {
        StreamHost watch = new(from: 1);
        watch.Receive(StreamHost.Page(4098, [.. Enumerable.Range(1, 4097).Select(i => StreamHost.Put(i))]));
        Assert.NotNull(watch.Host.Take().Abandon);
        return watch;
    }
}
