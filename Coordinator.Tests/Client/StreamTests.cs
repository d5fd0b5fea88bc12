using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>Watches: where they are taken up again, and what a consumer is told.</summary>
public sealed class StreamTests
{
    [Fact]
    public void A_watch_is_sent_once_and_delivers_each_revision_as_one()
    {
        StreamHost watch = new();

        watch.Receive(StreamHost.Page(8,
            StreamHost.Put(5), StreamHost.Put(5, "app/b"), StreamHost.Put(7)));

        Assert.Equal(5, watch.AskedFrom);
        Assert.True(watch.Asked.Watch.Config.IsPrefix);
        Assert.Equal([5, 7], watch.Delivered);
        Assert.Equal(["app/a", "app/b"], watch.Items[0].Events.Select(change => change.Entry.Key));
        Assert.Empty(watch.Host.Sent);
    }

    [Fact]
    public void After_a_lost_connection_it_is_taken_up_again_from_the_position_reached_with_the_index_seen()
    {
        StreamHost watch = new();
        watch.Receive(StreamHost.Page(8, StreamHost.Put(5)));

        ClientFrame again = watch.Reconnect();

        Assert.Equal(8, again.Watch.Config.FromRevision);
        Assert.Equal(80, again.Watch.SeenIndex);
        watch.Receive(StreamHost.Page(9, StreamHost.Put(8)));
        Assert.Equal([5, 8], watch.Delivered);
    }

    [Fact]
    public void A_watch_from_now_on_keeps_the_beginning_that_the_cluster_gave_it()
    {
        StreamHost watch = new(from: 0);
        Assert.Equal(0, watch.AskedFrom);
        watch.Receive(StreamHost.Page(12));

        Assert.Equal(12, watch.Reconnect().Watch.Config.FromRevision);
        Assert.Empty(watch.Delivered);
    }

    [Fact]
    public void A_revision_received_by_half_is_dropped_with_its_connection_and_asked_for_again()
    {
        StreamHost watch = new();
        watch.Receive(Half(6, StreamHost.Put(5), StreamHost.Put(6)));
        Assert.Equal([5], watch.Delivered);

        Assert.Equal(6, watch.Reconnect().Watch.Config.FromRevision);
        watch.Receive(Half(6, StreamHost.Put(6)));
        watch.Receive(StreamHost.Page(7, StreamHost.Put(6, "app/b")));

        Assert.Equal([5, 6], watch.Delivered);
        Assert.Equal(2, watch.Items[1].Events.Count);
    }

    [Fact]
    public void A_mark_on_a_page_that_ends_within_a_revision_does_not_skip_the_rest_of_it()
    {
        StreamHost watch = new();
        watch.Receive(Half(7, StreamHost.Put(6)));

        Assert.Equal(6, watch.Reconnect().Watch.Config.FromRevision);
    }

    [Fact]
    public void What_overlaps_with_what_was_delivered_is_not_delivered_again()
    {
        StreamHost watch = new();
        watch.Receive(StreamHost.Page(7, StreamHost.Put(5), StreamHost.Put(6)));

        watch.Receive(StreamHost.Page(8, StreamHost.Put(5), StreamHost.Put(6), StreamHost.Put(7)));

        Assert.Equal([5, 6, 7], watch.Delivered);
    }

    [Fact]
    public void Pages_of_an_earlier_connection_or_sending_count_for_nothing()
    {
        StreamHost watch = new();
        (int link, long id) = (watch.Host.Link, watch.Asked.CorrelationId);
        watch.Reconnect();

        watch.Receive(link, watch.Asked.CorrelationId, StreamHost.Page(9, StreamHost.Put(8)));
        watch.Receive(watch.Host.Link, id, StreamHost.Page(9, StreamHost.Put(8)));

        Assert.NotEqual(id, watch.Asked.CorrelationId);
        Assert.Empty(watch.Delivered);
    }

    [Fact]
    public void A_goodbye_moves_the_watch_to_the_next_silo()
    {
        StreamHost watch = new(endpoints: ["http://one", "http://two"]);
        watch.Receive(StreamHost.Page(6, StreamHost.Put(5)));

        watch.Host.Receive(new ServerFrame { Goodbye = new Goodbye { Reason = "stopping" } });
        watch.Host.Connect();

        Assert.Equal(["http://one", "http://two"], watch.Host.Connects);
        Assert.Equal(6, watch.TakeWatch().Watch.Config.FromRevision);
    }

    [Theory]
    [InlineData(ErrorCode.Stopping)]
    [InlineData(ErrorCode.NoQuorum)]
    [InlineData(ErrorCode.Overloaded)]
    [InlineData(ErrorCode.NotLeader)]
    [InlineData(ErrorCode.StorageUnavailable)]
    [InlineData(ErrorCode.Quarantined)]
    [InlineData(ErrorCode.ReplicaBehind)]
    public void What_passes_is_waited_for_and_asked_again_from_the_position_reached(ErrorCode error)
    {
        StreamHost watch = new();
        watch.Receive(StreamHost.Page(6, StreamHost.Put(5)));

        watch.Refuse(error);
        Assert.Empty(watch.Host.Sent);
        watch.Host.PassTicking(TimeSpan.FromSeconds(5));

        Assert.Equal(6, watch.TakeWatch().Watch.Config.FromRevision);
        Assert.Null(watch.End);
        watch.Receive(StreamHost.Page(7, StreamHost.Put(6)));
        Assert.Equal([5, 6], watch.Delivered);
    }

    [Theory]
    [InlineData(ErrorCode.Compacted)]
    [InlineData(ErrorCode.RevisionInFuture)]
    [InlineData(ErrorCode.RolledBack)]
    [InlineData(ErrorCode.SessionNotFound)]
    [InlineData(ErrorCode.InvalidName)]
    [InlineData(ErrorCode.TooManyWatches)]
    [InlineData(ErrorCode.Internal)]
    public void What_does_not_pass_ends_the_watch_with_its_name(ErrorCode error)
    {
        StreamHost watch = new();

        watch.Refuse(error);

        Assert.Equal(new Completion.StreamEnded(error, "", 9), watch.End);
        watch.Host.PassTicking(TimeSpan.FromMinutes(1));
        Assert.Empty(watch.Host.Sent);
    }

    [Fact]
    public void A_silo_that_does_not_know_watches_ends_one()
    {
        StreamHost watch = new();

        watch.Host.Receive(new ServerFrame
        {
            CorrelationId = watch.Asked.CorrelationId,
            Failure = new Failure { Code = ErrorCode.InvalidRequest, Message = "unknown" },
        });

        Assert.Equal(new Completion.Refused(ErrorCode.InvalidRequest, "unknown"), watch.End);
    }

    [Fact]
    public void A_watch_waits_for_a_cluster_that_is_away_for_as_long_as_it_takes()
    {
        StreamHost watch = new();
        watch.Host.Disconnect();
        watch.Host.PassTicking(TimeSpan.FromHours(1));
        int connects = watch.Host.Connects.Count;
        while (watch.Host.Connects.Count == connects)
            watch.Host.PassTicking(TimeSpan.FromMilliseconds(100));

        Assert.Null(watch.End);
        watch.Host.Connect();
        Assert.Equal(5, watch.TakeWatch().Watch.Config.FromRevision);
    }

    [Fact]
    public void A_quiet_watch_is_not_taken_for_a_dead_connection()
    {
        StreamHost watch = new();

        watch.Host.PassTicking(TimeSpan.FromHours(1));

        Assert.Empty(watch.Host.Disconnects);
        Assert.Empty(watch.Host.Sent);
    }

    [Fact]
    public void A_cancelled_watch_is_abandoned_on_the_wire_and_its_pages_are_passed_over()
    {
        StreamHost watch = new();

        watch.Host.Cancel(watch.Stream);

        Assert.Equal(watch.Asked.CorrelationId, Assert.Single(watch.Host.Sent).CorrelationId);
        Assert.NotNull(watch.Host.Take().Abandon);
        Assert.IsType<Completion.Cancelled>(watch.End);
        watch.Receive(StreamHost.Page(6, StreamHost.Put(5)));
        Assert.Empty(watch.Delivered);
    }

    [Fact]
    public void A_watch_that_is_cancelled_while_there_is_no_connection_is_not_asked_for_again()
    {
        StreamHost watch = new();
        watch.Host.Disconnect();

        watch.Host.Cancel(watch.Stream);

        Assert.IsType<Completion.Cancelled>(watch.End);
        int connects = watch.Host.Connects.Count;
        watch.Host.Disconnect();
        watch.Host.PassTicking(TimeSpan.FromMinutes(1));
        Assert.Equal(connects, watch.Host.Connects.Count);
    }

    [Fact]
    public void Progress_is_told_to_those_who_ask_for_it()
    {
        StreamHost quiet = new();
        StreamHost told = new(reportProgress: true);
        foreach (StreamHost watch in new[] { quiet, told })
        {
            watch.Receive(StreamHost.Page(9));
            watch.Receive(StreamHost.Page(9));
            watch.Receive(StreamHost.Page(10, StreamHost.Put(9)));
        }

        Assert.Equal([9], quiet.Delivered);
        Assert.Equal([8, 9], told.Delivered);
        Assert.Empty(told.Items[0].Events);
    }

    [Fact]
    public void Several_watches_share_the_connection_and_go_on_together()
    {
        StreamHost watch = new();
        ElectionStream election = new("leader");
        object observer = watch.Host.Submit(election);
        long id = watch.Host.Take().CorrelationId;
        ElectionState state = new() { Token = 7, SessionId = 3, Value = "a" };
        watch.Receive(StreamHost.Page(6, StreamHost.Put(5)));
        watch.Receive(watch.Host.Link, id, new WatchPage { Election = state });

        watch.Host.Disconnect();
        watch.Host.Connect();

        Assert.Equal(6, watch.Host.Take().Watch.Config.FromRevision);
        ClientFrame again = watch.Host.Take();
        Assert.Equal(state, again.Watch.Election.Seen);
        watch.Receive(watch.Host.Link, again.CorrelationId, new WatchPage { Election = state });
        Assert.Single(watch.Host.Arrived, arrived => arrived.Caller == observer);
    }

    [Fact]
    public void A_session_is_observed_anew_on_each_connection_and_older_notices_are_passed_over()
    {
        MachineHost host = new() { ShowsObservers = true };
        host.Submit(new SessionStream(7));
        host.Connect();
        Tell(host, host.Take(), 20);
        host.Disconnect();
        host.Connect();
        ClientFrame again = host.Take();
        Assert.Equal(0, again.Watch.Session.SeenNotice);
        Tell(host, again, 19);
        Tell(host, again, 20);

        Assert.Equal([20, 20], host.Arrived.Select(arrived => ((StreamItem.Session)arrived.Item).Notices.Notice));
    }

    private static void Tell(MachineHost host, ClientFrame asked, long notice) => host.Receive(new ServerFrame
    {
        CorrelationId = asked.CorrelationId,
        WatchPage = new WatchPage { Session = new SessionNotices { SessionId = 7, Notice = notice } },
    });

    private static WatchPage Half(long next, params ConfigEvent[] events)
    {
        WatchPage page = StreamHost.Page(next, events);
        page.Continues = true;
        return page;
    }
}
