using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

/// <summary>What a replica tells those who watch configuration (rule 22).</summary>
public sealed class WatchTests
{
    private readonly WatchedPeer _peer = new();

    [Fact]
    public void A_watch_from_now_is_told_by_a_quorum_what_now_is()
    {
        _peer.Put("a");
        WatchTicket ticket = _peer.Submit(WatchedPeer.Key("a", from: 0));
        Assert.True(_peer.Waits(ticket));

        _peer.ConfirmRound();
        Assert.True(_peer.Waits(ticket));
        _peer.CatchUp();

        WatchPage page = _peer.PageOf(ticket);
        Assert.Equal((ErrorCode.Ok, 0, 2L), (page.Error, page.Events.Count, page.NextRevision));
    }

    [Fact]
    public void What_has_happened_is_told_at_once_and_what_comes_when_it_is_applied()
    {
        _peer.Put("a", "1");
        _peer.Put("b", "2");
        _peer.CatchUp();
        WatchPage past = _peer.PageOf(_peer.Submit(WatchedPeer.Key("a", from: 1)));
        Assert.Equal(("1", 3L), (Assert.Single(past.Events).Entry.Value.ToStringUtf8(), past.NextRevision));

        WatchTicket next = _peer.Submit(WatchedPeer.Key("a", from: 3));
        _peer.Put("b", "3");
        _peer.CatchUp();
        Assert.True(_peer.Waits(next));
        _peer.Put("a", "4");
        _peer.CatchUp();

        WatchPage told = _peer.PageOf(next);
        Assert.Equal(("4", 5L), (Assert.Single(told.Events).Entry.Value.ToStringUtf8(), told.NextRevision));
        Assert.Equal((_peer.Group.AppliedIndex, 4L), (told.Position.Index, told.Position.Revision));
    }

    [Fact]
    public void A_deletion_names_its_revision_and_what_was_there()
    {
        _peer.Put("a", "1");
        _peer.Commit(new Command { DeleteConfig = new DeleteConfig { Key = "a" } });
        _peer.CatchUp();
        Watch watch = WatchedPeer.Key("a", from: 2);
        watch.Config.WithPrevious = true;

        ConfigEvent told = Assert.Single(_peer.PageOf(_peer.Submit(watch)).Events);

        Assert.Equal(("a", 0L, 2L), (told.Entry.Key, told.Entry.Version, told.Entry.ModifyRevision));
        Assert.Equal(("1", 1L), (told.Previous.Value.ToStringUtf8(), told.Previous.ModifyRevision));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("a", true)]
    [InlineData("a/", true)]
    [InlineData("a/b", true)]
    [InlineData("a/b/c", false)]
    [InlineData("b", false)]
    public void A_prefix_is_told_of_all_keys_that_begin_with_it(string prefix, bool isTold)
    {
        WatchTicket other = _peer.Submit(WatchedPeer.Prefix("a/b", from: 1));
        WatchTicket ticket = _peer.Submit(WatchedPeer.Prefix(prefix, from: 1));
        WatchTicket key = _peer.Submit(WatchedPeer.Key("a/b/c", from: 1));

        _peer.Put("a/b");
        _peer.CatchUp();

        Assert.Equal(isTold, !_peer.Waits(ticket));
        Assert.True(_peer.Waits(key));
        Assert.False(_peer.Waits(other));
    }

    [Fact]
    public void Those_who_are_told_in_one_turn_are_told_in_the_order_in_which_they_asked()
    {
        var asked = new List<WatchTicket>();
        for (int i = 0; i < 40; i++)
            asked.Add(_peer.Submit(i % 3 == 0 ? WatchedPeer.Prefix(i % 2 == 0 ? "" : "k", 1) : WatchedPeer.Key($"k{i % 7}", 1)));
        for (int i = 6; i >= 0; i--)
            _peer.Put($"k{i}");
        _peer.CatchUp();

        Assert.Equal(asked, _peer.Pages.Select(page => page.Ticket));
    }

    [Fact]
    public void A_start_above_what_the_replica_has_waits_until_it_has_caught_up()
    {
        _peer.Put("a");
        _peer.Put("a");
        WatchTicket ticket = _peer.Submit(WatchedPeer.Key("a", from: 3));
        _peer.ConfirmRound();
        _peer.CatchUp();
        Assert.True(_peer.Waits(ticket));

        _peer.Put("a", "third");
        _peer.CatchUp();

        Assert.Equal("third", Assert.Single(_peer.PageOf(ticket).Events).Entry.Value.ToStringUtf8());
    }

    [Fact]
    public void A_start_above_what_the_group_has_is_in_the_future()
    {
        _peer.Put("a");
        _peer.CatchUp();
        WatchTicket next = _peer.Submit(WatchedPeer.Key("a", from: 2));
        WatchTicket above = _peer.Submit(WatchedPeer.Key("a", from: 3));
        _peer.ConfirmRound();

        Assert.True(_peer.Waits(next));
        Assert.Equal(ErrorCode.RevisionInFuture, _peer.PageOf(above).Error);
    }

    [Fact]
    public void A_start_that_was_compacted_says_what_can_still_be_read()
    {
        for (int i = 0; i < 5; i++)
            _peer.Put("a");
        _peer.Commit(new Command { CompactConfig = new CompactConfig { Revision = 3 } });
        _peer.CatchUp();

        WatchPage below = _peer.PageOf(_peer.Submit(WatchedPeer.Key("a", from: 3)));
        WatchPage above = _peer.PageOf(_peer.Submit(WatchedPeer.Key("a", from: 4)));

        Assert.Equal((ErrorCode.Compacted, 3L), (below.Error, below.CompactedRevision));
        Assert.Equal((ErrorCode.Ok, 2), (above.Error, above.Events.Count));
    }

    [Fact]
    public void Who_waits_is_not_caught_by_a_compaction_behind_it()
    {
        WatchTicket ticket = _peer.Submit(WatchedPeer.Key("a", from: 1));
        for (int i = 1; i <= 5; i++)
            _peer.Put("other");
        _peer.Commit(new Command { CompactConfig = new CompactConfig { Revision = 5 } });
        _peer.CatchUp();
        Assert.True(_peer.Waits(ticket));

        // Compacted by the entry after it, which is applied in the same turn.
        _peer.Put("a", "told");
        _peer.Commit(new Command { CompactConfig = new CompactConfig { Revision = 6 } });
        _peer.CatchUp();

        WatchPage page = _peer.PageOf(ticket);
        Assert.Equal((ErrorCode.Ok, 7L), (page.Error, page.NextRevision));
        Assert.Equal("told", Assert.Single(page.Events).Entry.Value.ToStringUtf8());
    }

    [Fact]
    public void After_a_snapshot_was_installed_watches_go_on_from_the_history_in_it()
    {
        WatchTicket touched = _peer.Submit(WatchedPeer.Key("a", from: 1));
        WatchTicket untouched = _peer.Submit(WatchedPeer.Key("b", from: 1));
        _peer.Put("a", "1");
        _peer.Put("a", "2");
        _peer.Install();

        Assert.Equal(["1", "2"], _peer.PageOf(touched).Events.Select(told => told.Entry.Value.ToStringUtf8()));
        Assert.True(_peer.Waits(untouched));
        _peer.Put("b");
        _peer.CatchUp();
        Assert.Equal(3, Assert.Single(_peer.PageOf(untouched).Events).Entry.ModifyRevision);
    }

    [Fact]
    public void After_a_snapshot_without_the_history_from_its_position_on_a_watch_is_told_that_it_was_compacted()
    {
        _peer.Put("a");
        _peer.CatchUp();
        WatchTicket ticket = _peer.Submit(WatchedPeer.Key("b", from: 1));
        _peer.Put("a");
        _peer.Put("a");
        _peer.Commit(new Command { CompactConfig = new CompactConfig { Revision = 2 } });
        _peer.Install();

        Assert.Equal((ErrorCode.Compacted, 2L), (_peer.PageOf(ticket).Error, _peer.PageOf(ticket).CompactedRevision));
    }

    [Fact]
    public void A_snapshot_compacted_below_what_a_watch_was_told_takes_nothing_from_it()
    {
        WatchTicket ticket = _peer.Submit(WatchedPeer.Key("b", from: 1));
        _peer.Put("a");
        _peer.Put("a");
        _peer.CatchUp();
        _peer.Put("b", "told");
        _peer.Commit(new Command { CompactConfig = new CompactConfig { Revision = 2 } });
        _peer.Install();

        Assert.Equal("told", Assert.Single(_peer.PageOf(ticket).Events).Entry.Value.ToStringUtf8());
    }

    [Fact]
    public void Where_nothing_happens_a_watch_is_told_how_far_all_was_looked_through()
    {
        WatchTicket ticket = _peer.Submit(WatchedPeer.Key("a", from: 1));
        _peer.Put("b");
        _peer.Put("c");
        _peer.CatchUp();
        _peer.Turn(afterUs: new ReplicaOptions().WatchProgressUs - 10);
        _peer.HearLeader();
        Assert.True(_peer.Waits(ticket));

        _peer.Turn(afterUs: 10);

        WatchPage page = _peer.PageOf(ticket);
        Assert.Equal((ErrorCode.Ok, 0, 3L), (page.Error, page.Events.Count, page.NextRevision));
    }

    [Fact]
    public void What_is_forgotten_is_not_answered_and_takes_no_place()
    {
        var peer = new WatchedPeer(new ReplicaOptions { WatchesMax = 2 });
        WatchTicket parked = peer.Submit(WatchedPeer.Key("a", from: 1));
        WatchTicket reading = peer.Submit(WatchedPeer.Key("a", from: 0));
        peer.Turn(machine => machine.Forget(parked));
        peer.Turn(machine => machine.Forget(reading));
        WatchTicket one = peer.Submit(WatchedPeer.Key("a", from: 1));
        WatchTicket two = peer.Submit(WatchedPeer.Prefix("a", from: 1));
        peer.ConfirmRound();
        peer.Put("a");
        peer.CatchUp();

        Assert.Equal([one, two], peer.Pages.Select(page => page.Ticket));
    }

    [Fact]
    public void One_watch_more_than_may_wait_is_refused()
    {
        var peer = new WatchedPeer(new ReplicaOptions { WatchesMax = 2 });
        WatchTicket one = peer.Submit(WatchedPeer.Key("a", from: 1));
        WatchTicket two = peer.Submit(WatchedPeer.Key("a", from: 0));
        Assert.True(peer.Waits(one) && peer.Waits(two));

        Assert.Equal(ErrorCode.TooManyWatches, peer.PageOf(peer.Submit(WatchedPeer.Key("b", from: 1))).Error);
        Assert.Equal(ErrorCode.TooManyWatches, peer.PageOf(peer.Submit(WatchedPeer.Key("b", from: 0))).Error);
    }

    [Fact]
    public void A_page_ends_behind_the_revision_that_exceeds_its_bytes()
    {
        var peer = new WatchedPeer(new ReplicaOptions { WatchPageBytes = 200 });
        for (int i = 0; i < 4; i++)
            peer.Put("a", new string('x', 100));
        peer.CatchUp();

        WatchPage first = peer.PageOf(peer.Submit(WatchedPeer.Key("a", from: 1)));
        WatchPage second = peer.PageOf(peer.Submit(WatchedPeer.Key("a", from: first.NextRevision)));

        Assert.Equal((2, 3L, 2, 5L), (first.Events.Count, first.NextRevision, second.Events.Count, second.NextRevision));
    }

    [Fact]
    public void A_replica_that_stops_sends_its_watchers_elsewhere()
    {
        WatchTicket parked = _peer.Submit(WatchedPeer.Key("a", from: 1));
        _peer.Turn(machine => machine.Halt(ServiceState.Stopped, "the test stops it"));
        WatchTicket late = _peer.Submit(WatchedPeer.Key("a", from: 1));

        Assert.Equal(ErrorCode.Stopping, _peer.PageOf(parked).Error);
        Assert.Equal(ErrorCode.Stopping, _peer.PageOf(late).Error);
    }

    [Fact]
    public void A_replica_that_is_taken_out_or_suspended_sends_its_watchers_elsewhere()
    {
        var suspended = new WatchedPeer();
        WatchTicket waiting = suspended.Submit(WatchedPeer.Key("a", from: 1));
        suspended.Turn(machine => machine.Halt(ServiceState.Suspended, "the test suspends it"));
        Assert.Equal(ErrorCode.NotLeader, suspended.PageOf(waiting).Error);

        WatchTicket parked = _peer.Submit(WatchedPeer.Key("a", from: 1));
        _peer.Turn(machine => machine.Halt(ServiceState.Quarantined, "the test takes it out"));
        Assert.Equal(ErrorCode.Quarantined, _peer.PageOf(parked).Error);
    }

    [Fact]
    public void A_replica_that_hears_of_no_leader_makes_no_progress_and_says_so()
    {
        WatchTicket ticket = _peer.Submit(WatchedPeer.Key("a", from: 1));
        for (int i = 0; !_peer.Machine.Raft.Leader.IsNone; i++)
        {
            Assert.True(i < 1000);
            _peer.Turn(afterUs: new ReplicaOptions().TickUs);
        }
        _peer.Turn(afterUs: new ReplicaOptions().WatchProgressUs);

        Assert.Equal(ErrorCode.NotLeader, _peer.PageOf(ticket).Error);
        Assert.Equal(ErrorCode.NotLeader, _peer.PageOf(_peer.Submit(WatchedPeer.Key("a", from: 0))).Error);
    }

    [Fact]
    public void A_watcher_who_has_seen_more_than_the_replica_waits_for_it()
    {
        _peer.Put("a", "1");
        Watch watch = WatchedPeer.Key("a", from: 1);
        watch.SeenIndex = _peer.Group.AppliedIndex;
        WatchTicket ticket = _peer.Submit(watch);
        Assert.True(_peer.Waits(ticket));

        _peer.ConfirmRound();
        _peer.CatchUp();

        Assert.Equal("1", Assert.Single(_peer.PageOf(ticket).Events).Entry.Value.ToStringUtf8());
    }

    [Fact]
    public void A_watcher_who_has_seen_more_than_the_group_raises_the_alarm()
    {
        Watch watch = WatchedPeer.Key("a", from: 1);
        watch.SeenIndex = _peer.Group.AppliedIndex + 1;
        WatchTicket ticket = _peer.Submit(watch);
        _peer.ConfirmRound();

        Assert.Equal(ErrorCode.RolledBack, _peer.PageOf(ticket).Error);
        Assert.Equal(watch.SeenIndex, _peer.Peer.Effects.WitnessedIndex);
    }

    [Fact]
    public void What_is_no_watch_is_refused_by_the_replica_too() =>
        Assert.Equal(ErrorCode.InvalidName, _peer.PageOf(_peer.Submit(WatchedPeer.Key("", from: 1))).Error);
}
