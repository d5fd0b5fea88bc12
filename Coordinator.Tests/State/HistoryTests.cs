using Coordinator.Contracts;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

public sealed class HistoryTests
{
    private readonly Group _group = new();

    [Fact]
    public void A_key_is_read_as_it_was_at_each_revision()
    {
        _group.Put("a", "1");
        _group.Put("a", "2");
        _group.Delete("a");

        Assert.Equal(["1", "2", null], Enumerable.Range(1, 3).Select(revision => ValueAt("a", revision)));
        Assert.Equal(ErrorCode.RevisionInFuture, Get("a", 4).Error);
    }

    [Fact]
    public void A_listing_at_a_revision_goes_on_page_by_page_while_the_present_changes()
    {
        for (int i = 0; i < 20; i++)
            _group.Put($"k/{i:d2}", "old");
        var keys = new List<string>();
        QueryAnswer page;
        do
        {
            page = _group.State.Query(new Query
            {
                ListConfig = new ListConfig { Prefix = "k/", Revision = 20, Limit = 3, AfterKey = keys.LastOrDefault("") },
            });
            keys.AddRange(page.Entries.Select(entry => entry.Key));
            _group.Delete($"k/{keys.Count:d2}");
            _group.Put($"k/{keys.Count:d2}x", "new");
        }
        while (page.More);

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"k/{i:d2}"), keys);
    }

    [Fact]
    public void Compaction_forgets_what_lies_below_a_revision_and_the_state_at_it_stays()
    {
        for (int i = 1; i <= 5; i++)
            _group.Put("a", $"{i}");

        Assert.Equal(Outcome.Done, Compact(3).Result.Outcome);

        Assert.Equal(("3", "4"), (ValueAt("a", 3), ValueAt("a", 4)));
        QueryAnswer below = Get("a", 2);
        Assert.Equal((ErrorCode.Compacted, 3L), (below.Error, below.CompactedRevision));
        Group.IsRefused(Compact(3), ErrorCode.Compacted);
        Group.IsRefused(Compact(6), ErrorCode.RevisionInFuture);
        Assert.Equal(ErrorCode.Compacted, _group.State.ReadEvents("a", false, 3, 1000).Error);
        Assert.Equal(2, _group.State.ReadEvents("a", false, 4, 1000).Revisions.Count);
    }

    [Fact]
    public void What_was_compacted_is_dropped_a_bounded_number_at_a_time_and_shows_nowhere()
    {
        for (int i = 0; i < 3 * ConfigHistory.DroppedPerEntry; i++)
            _group.Put($"k/{i}", "v");
        Compact(_group.State.Revision);

        Assert.Equal(2 * ConfigHistory.DroppedPerEntry, _group.State.Config.History.Backlog);
        Group copy = _group.Copy();
        Assert.Equal(0, copy.State.Config.History.Backlog);
        Assert.Equal(_group.State.ContentsHash(), copy.State.ContentsHash());
        _group.Advance(1);
        _group.Advance(2);
        Assert.Equal((0, 0), (_group.State.Config.History.Backlog, _group.State.Config.History.ByKey.Count));
        copy.Advance(1);
        copy.Advance(2);
        Assert.Equal(copy.Snapshot(), _group.Snapshot());
    }

    [Fact]
    public void Only_so_many_revisions_are_kept()
    {
        var group = new Group(new StateSettings { HistoryRevisions = 3 });
        for (int i = 0; i < 3; i++)
            group.Put("a", "1");
        Assert.Equal(0, group.State.Config.History.CompactedRevision);
        group.Put("a", "1");
        Assert.Equal(1, group.State.Config.History.CompactedRevision);
    }

    [Fact]
    public void A_revision_is_kept_up_to_its_age_in_log_time_and_not_a_microsecond_longer()
    {
        var group = new Group(new StateSettings { HistoryAgeUs = Group.Second });
        group.Advance(1);
        group.Put("a", "1");
        group.Advance(Group.Second + 1);
        Assert.Equal(0, group.State.Config.History.CompactedRevision);
        group.Advance(Group.Second + 2);
        Assert.Equal(1, group.State.Config.History.CompactedRevision);
    }

    [Fact]
    public void Replaced_values_are_kept_up_to_so_many_bytes()
    {
        // Each change costs the key; from the second on the replaced value and its type ("text/plain") as well.
        var group = new Group(new StateSettings { HistoryBytes = 1 + 2 * (1 + 100 + 10) });
        for (int i = 0; i < 3; i++)
            group.Put("a", new string('v', 100));
        Assert.Equal(0, group.State.Config.History.CompactedRevision);
        group.Put("b", "");
        Assert.Equal(1, group.State.Config.History.CompactedRevision);
    }

    [Fact]
    public void A_prefix_is_rolled_back_as_one_revision_and_keys_created_since_are_deleted()
    {
        _group.Put("p/a", "1");
        _group.Put("p/b", "1");
        _group.Put("q", "1");
        _group.Put("p/a", "2");
        _group.Delete("p/b");
        _group.Put("p/c", "1");
        _group.Put("q", "2");

        CommandResult result = RollBack("p/", 3).Result;

        Assert.Equal((Outcome.Done, 8L), (result.Outcome, result.Revision));
        Assert.Equal(("1", "1", null, "2"), (ValueAt("p/a", 8), ValueAt("p/b", 8), ValueAt("p/c", 8), ValueAt("q", 8)));
        Assert.Equal((3L, 1L), (Get("p/a", 0).Entries[0].Version, Get("p/b", 0).Entries[0].Version));
        Assert.Equal(8, RollBack("p/", 3).Result.Revision);
        Group.IsRefused(RollBack("", 9), ErrorCode.RevisionInFuture);
        Compact(4);
        Group.IsRefused(RollBack("", 3), ErrorCode.Compacted);
    }

    [Fact]
    public void A_roll_back_changes_at_most_so_many_keys()
    {
        var group = new Group(new StateSettings { KeysPerRevision = 2 });
        foreach (string key in (string[])["0", "a", "b", "c"])
            group.Put(key, "1");

        Group.IsRefused(
            group.Apply(new Command { RollBackConfig = new RollBackConfig { Revision = 1 } }), ErrorCode.TooManyKeys);
        Assert.Equal(
            5, group.Apply(new Command { RollBackConfig = new RollBackConfig { Revision = 2 } }).Result.Revision);
    }

    [Fact]
    public void Keys_bound_to_a_session_end_with_it_in_one_revision_and_in_their_order()
    {
        long session = _group.Create(ttl: Group.Second, stamp: 1);
        foreach (string key in (string[])["b", "a", "c"])
            Bind(_group, session, key);
        _group.Put("c", "kept");
        Assert.Equal(session, Get("a", 0).Entries[0].SessionId);

        Group copy = _group.Copy();
        _group.Advance(Group.Second + 1);
        copy.Advance(Group.Second + 1);

        RevisionEvents ended = Assert.Single(_group.State.ReadEvents("", true, 5, 1000, withPrevious: true).Revisions);
        Assert.Equal(["a", "b"], ended.Events.Select(e => e.Key));
        Assert.All(ended.Events, e => Assert.Equal((null, session), (e.Current, e.Previous!.SessionId)));
        Assert.Equal("kept", ValueAt("c", 5));
        Assert.Equal(_group.Snapshot(), copy.Snapshot());
    }

    [Fact]
    public void A_roll_back_leaves_the_keys_of_sessions_alone_and_brings_none_of_them_back()
    {
        long session = _group.Create();
        Bind(_group, session, "gone");
        _group.Put("free", "1");
        _group.Delete("gone");
        Bind(_group, session, "there");
        Bind(_group, session, "free");

        Assert.Equal(5, RollBack("", 2).Result.Revision);
        Assert.Equal((null, "there", "free"), (ValueAt("gone", 5), ValueAt("there", 5), ValueAt("free", 5)));
    }

    [Fact]
    public void One_key_too_many_is_not_bound_until_another_one_is_free()
    {
        var group = new Group(new StateSettings { KeysPerSession = 2 });
        long session = group.Create();
        Assert.Equal(ErrorCode.Ok, Bind(group, session, "a").Result.Error);
        Assert.Equal(ErrorCode.Ok, Bind(group, session, "b").Result.Error);
        Group.IsRefused(Bind(group, session, "c"), ErrorCode.TooManyBoundKeys);
        Assert.Equal(ErrorCode.Ok, Bind(group, session, "b").Result.Error);
        group.Put("a", "free");
        Assert.Equal(ErrorCode.Ok, Bind(group, session, "c").Result.Error);
    }

    [Fact]
    public void Events_come_in_whole_revisions_and_say_from_where_to_read_on()
    {
        var big = new Transaction();
        for (int i = 0; i < 100; i++)
            big.Then.Add(new ConfigOperation { Put = new PutConfig { Key = $"k/{i:d2}", Value = ByteString.CopyFromUtf8("v") } });
        _group.Put("k/x", "1");
        _group.Apply(new Command { Transaction = big });
        _group.Put("other", "1");

        ConfigEventPage first = _group.State.ReadEvents("k/", isPrefix: true, 1, bytesMax: 1);
        ConfigEventPage second = _group.State.ReadEvents("k/", isPrefix: true, first.NextRevision, bytesMax: 1);
        ConfigEventPage rest = _group.State.ReadEvents("k/", isPrefix: true, second.NextRevision, bytesMax: 1);

        Assert.Equal((1, 2L), (Assert.Single(first.Revisions).Events.Count, first.NextRevision));
        Assert.Equal((100, 3L), (Assert.Single(second.Revisions).Events.Count, second.NextRevision));
        Assert.Equal((0, 4L), (rest.Revisions.Count, rest.NextRevision));
        Assert.Equal(ErrorCode.RevisionInFuture, _group.State.ReadEvents("k/", true, 5, 1).Error);
    }

    private static ApplyResult Bind(Group group, long session, string key) => group.Apply(new Command
    {
        SessionId = session,
        PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(key), BindSession = true },
    });

    private ApplyResult Compact(long revision) =>
        _group.Apply(new Command { CompactConfig = new CompactConfig { Revision = revision } });

    private ApplyResult RollBack(string prefix, long revision) =>
        _group.Apply(new Command { RollBackConfig = new RollBackConfig { Prefix = prefix, Revision = revision } });

    private QueryAnswer Get(string key, long revision) =>
        _group.State.Query(new Query { GetConfig = new GetConfig { Key = key, Revision = revision } });

    private string? ValueAt(string key, long revision) => Get(key, revision).Entries.FirstOrDefault()?.Value.ToStringUtf8();
}
