using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>Reads configuration at every revision, and every event, as the model has them.</summary>
internal static class ConfigReadings
{
    public static void Check(Group group, NaiveConfig model, Random random)
    {
        for (long revision = Math.Max(1, model.Compacted - 1); revision <= model.Revision + 1; revision++)
            CheckAt(group, model, revision, Prefix(random));
        for (long from = Math.Max(1, model.Compacted - 1); from <= model.Revision + 2; from++)
            CheckEvents(group, model, from, Prefix(random), random);
        CheckBytes(group);
    }

    private static void CheckAt(Group group, NaiveConfig model, long revision, string prefix)
    {
        QueryAnswer answer = group.State.Query(
            new Query { ListConfig = new ListConfig { Prefix = prefix, Revision = revision } });
        QueryAnswer one = group.State.Query(new Query { GetConfig = new GetConfig { Key = "b/c", Revision = revision } });
        ErrorCode error = revision > model.Revision ? ErrorCode.RevisionInFuture
            : revision < model.Compacted ? ErrorCode.Compacted
            : ErrorCode.Ok;
        Assert.Equal(error, answer.Error);
        if (error != ErrorCode.Ok)
        {
            Assert.Equal(error, one.Error);
            return;
        }
        Assert.Equal(
            model.At(revision).Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(pair => NaiveConfig.EntryOf(pair.Key, pair.Value)),
            answer.Entries);
        Assert.Equal(
            model.At(revision).TryGetValue("b/c", out ModelRecord? record) ? [NaiveConfig.EntryOf("b/c", record)] : [],
            one.Entries);
        QueryAnswer count = group.State.Query(
            new Query { ListConfig = new ListConfig { Prefix = prefix, Revision = revision, CountOnly = true } });
        Assert.Equal((answer.Entries.Count, 0), (count.Count, count.Entries.Count));
    }

    private static void CheckEvents(Group group, NaiveConfig model, long from, string key, Random random)
    {
        bool isPrefix = key.Length == 0 || random.Next(2) == 0;
        bool withPrevious = random.Next(2) == 0;
        var read = new List<RevisionEvents>();
        long next = from;
        do
        {
            ConfigEventPage page = group.State.ReadEvents(key, isPrefix, next, random.Next(300), withPrevious);
            if (next <= model.Compacted || next > model.Revision + 1)
            {
                Assert.Equal(next <= model.Compacted ? ErrorCode.Compacted : ErrorCode.RevisionInFuture, page.Error);
                return;
            }
            Assert.Equal(ErrorCode.Ok, page.Error);
            Assert.True(page.NextRevision > next || next == model.Revision + 1, "a page has to get on");
            Assert.All(page.Revisions, events => Assert.InRange(events.Revision, next, page.NextRevision - 1));
            read.AddRange(page.Revisions);
            next = page.NextRevision;
        }
        while (next <= model.Revision);
        Assert.Equal(Expected(model, from, key, isPrefix, withPrevious), read.SelectMany(Flat));
    }

    private static IEnumerable<(long, string, ConfigEntry?, ConfigEntry?)> Expected(
        NaiveConfig model, long from, string key, bool isPrefix, bool withPrevious)
    {
        for (long revision = from; revision <= model.Revision; revision++)
        {
            foreach ((string changed, ModelRecord? before, ModelRecord? after) in model.ChangesAt(revision))
            {
                if (isPrefix ? changed.StartsWith(key, StringComparison.Ordinal) : changed == key)
                    yield return (revision, changed, EntryOf(changed, after), withPrevious ? EntryOf(changed, before) : null);
            }
        }
    }

    private static IEnumerable<(long, string, ConfigEntry?, ConfigEntry?)> Flat(RevisionEvents events) =>
        events.Events.Select(e => (events.Revision, e.Key, Describe(e.Key, e.Current), Describe(e.Key, e.Previous)));

    private static ConfigEntry? EntryOf(string key, ModelRecord? record) =>
        record is null ? null : NaiveConfig.EntryOf(key, record);

    private static ConfigEntry? Describe(string key, ConfigRecord? record) =>
        record is null ? null : ConfigQueries.Describe(key, record, keysOnly: false);

    private static void CheckBytes(Group group)
    {
        ConfigHistory history = group.State.Config.History;
        Assert.Equal(Enumerable.Range(0, history.Count).Sum(i => history[i].Bytes), history.Bytes);
    }

    private static string Prefix(Random random) => ((string[])["", "a", "b", "b/d", "b/c"])[random.Next(5)];
}
