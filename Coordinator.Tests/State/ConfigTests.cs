using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

public sealed class ConfigTests
{
    private readonly Group _group = new();

    [Fact]
    public void Each_change_takes_the_next_revision_and_each_key_counts_its_versions()
    {
        Assert.Equal((1, 1), Put("a"));
        Assert.Equal((2, 1), Put("b"));
        Assert.Equal((3, 2), Put("a"));

        ConfigEntry entry = Get("a")!;
        Assert.Equal((2L, 1L, 3L), (entry.Version, entry.CreateRevision, entry.ModifyRevision));
        Assert.Equal("text/plain", entry.ContentType);
        Assert.Equal("a", entry.Value.ToStringUtf8());
        Assert.Equal(3, _group.State.Revision);
    }

    [Fact]
    public void A_delete_takes_a_revision_and_the_key_begins_anew()
    {
        Put("a");
        Put("a");

        CommandResult deleted = _group.Delete("a").Result;
        Assert.Equal((Outcome.Done, 3L, 0L), (deleted.Outcome, deleted.Revision, deleted.Version));
        Assert.Null(Get("a"));

        Assert.Equal((4, 1), Put("a"));
        Assert.Equal(4, Get("a")!.CreateRevision);
    }

    [Fact]
    public void A_delete_of_a_missing_key_takes_no_revision()
    {
        Put("a");

        Group.IsRefused(_group.Delete("b"), ErrorCode.KeyNotFound);
        Assert.Equal(1, _group.State.Revision);
    }

    [Fact]
    public void A_value_is_kept_without_a_copy()
    {
        var value = ByteString.CopyFromUtf8("value");
        _group.Apply(new Command { PutConfig = new PutConfig { Key = "a", Value = value } });

        Assert.Same(value, Get("a")!.Value);
    }

    [Fact]
    public void A_rebuilt_group_goes_on_from_its_base_revision()
    {
        var rebuilt = new Group(
            CoordinationState.Create(StateSettings.Default, Group.Membership(), 500, new Term(9), baseRevision: 100));

        Assert.Equal(101, rebuilt.Put("a", "1").Result.Revision);
        Assert.Equal(501, rebuilt.LastIndex);
        Assert.Equal(101, rebuilt.Copy().State.Revision);
    }

    [Fact]
    public void Keys_are_listed_by_prefix_in_ordinal_order()
    {
        foreach (string key in (string[])["b", "a/b", "a", "a/B", "a/é", "a/b/c", "aa", "A"])
            Put(key);

        Assert.Equal(["A", "a", "a/B", "a/b", "a/b/c", "a/é", "aa", "b"], Keys(List("")));
        Assert.Equal(["a/B", "a/b", "a/b/c", "a/é"], Keys(List("a/")));
        Assert.Empty(Keys(List("c")));
    }

    [Fact]
    public void A_listing_goes_on_behind_the_last_key_of_the_page_before()
    {
        for (int i = 0; i < 1000; i++)
            Put($"k/{i:d4}");
        Put("l");

        var keys = new List<string>();
        string after = "";
        QueryAnswer page;
        do
        {
            page = List("k/", after, limit: 7);
            keys.AddRange(Keys(page));
            after = keys[^1];
        }
        while (page.More);

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"k/{i:d4}"), keys);
    }

    [Fact]
    public void After_key_need_not_exist_nor_have_the_prefix()
    {
        Put("k/1");
        Put("k/3");

        Assert.Equal(["k/3"], Keys(List("k/", "k/2")));
        Assert.Equal(["k/1", "k/3"], Keys(List("k/", "a")));
        Assert.Empty(Keys(List("k/", "z")));
    }

    [Fact]
    public void Keys_are_counted_without_being_listed()
    {
        for (int i = 0; i < 1000; i++)
            Put($"k/{i:d4}");
        Put("a");
        Put("z");

        Assert.Equal((1000, 1002, 999, 1, 0), (Count("k/"), Count(""), Count("k/", "k/0000"), Count("k/0999"), Count("b")));
        Assert.Equal((1, 0, 500), (Count("", "k/9999"), Count("k/", "k/0999"), Count("k/", "k/0499")));
        _group.Delete("k/0500");
        Assert.Equal((999, 1000), (Count("k/"), Count("k/", revision: 1002)));
    }

    [Fact]
    public void A_page_holds_at_most_the_items_that_it_may()
    {
        for (int i = 0; i <= Limits.PageItemsMax; i++)
            Put($"k{i:d5}");

        Assert.Equal((Limits.PageItemsMax, true), (List("").Entries.Count, List("").More));
        Assert.Equal(Limits.PageItemsMax, List("", limit: int.MaxValue).Entries.Count);
        QueryAnswer last = List("k00001");
        Assert.Equal((1, false), (last.Entries.Count, last.More));
    }

    [Fact]
    public void A_page_ends_when_its_bytes_are_full_but_holds_at_least_one_item()
    {
        string half = new('v', Limits.PageBytesMax / 2);
        foreach (string key in (string[])["a", "b"])
            _group.Put(key, half);
        _group.Put("c", new string('v', Limits.ValueBytesMax));

        Assert.Equal(["a"], Keys(List("")));
        Assert.True(List("").More);
        Assert.Equal(["c"], Keys(List("", "b")));
        Assert.False(List("", "b").More);
        QueryAnswer keysOnly = List("", keysOnly: true);
        Assert.Equal(["a", "b", "c"], Keys(keysOnly));
        Assert.All(keysOnly.Entries, entry => Assert.True(entry.Value.IsEmpty));
    }

    private (long Revision, long Version) Put(string key)
    {
        CommandResult result = _group.Put(key, key).Result;
        Assert.Equal((ErrorCode.Ok, Outcome.Done), (result.Error, result.Outcome));
        return (result.Revision, result.Version);
    }

    private ConfigEntry? Get(string key)
    {
        QueryAnswer answer = _group.State.Query(new Query { GetConfig = new GetConfig { Key = key } });
        return answer.Error == ErrorCode.KeyNotFound ? null : Assert.Single(answer.Entries);
    }

    private long Count(string prefix, string after = "", long revision = 0) => _group.State.Query(new Query
    {
        ListConfig = new ListConfig { Prefix = prefix, AfterKey = after, Revision = revision, CountOnly = true },
    }).Count;

    private QueryAnswer List(string prefix, string after = "", int limit = 0, bool keysOnly = false)
    {
        QueryAnswer answer = _group.State.Query(new Query
        {
            ListConfig = new ListConfig { Prefix = prefix, AfterKey = after, Limit = limit, KeysOnly = keysOnly },
        });
        Assert.Equal(ErrorCode.Ok, answer.Error);
        return answer;
    }

    private static IEnumerable<string> Keys(QueryAnswer answer) => answer.Entries.Select(entry => entry.Key);
}
