using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

public sealed class StreamPropertyTests
{
    private const int Revisions = 200;

    /// <summary>Pages split anywhere, connections lost at any point, refusals, a consumer of any pace.</summary>
    [Fact]
    public void Each_revision_is_delivered_whole_once_and_in_order_whatever_becomes_of_its_pages()
    {
        int putOff = 0;
        for (int seed = 0; seed < 100; seed++)
            putOff += Run(new Random(seed), seed);
        Assert.True(putOff > 100, $"Only {putOff} times was a consumer too slow.");
    }

    /// <returns>How often the watch was put off.</returns>
    private static int Run(Random random, int seed)
    {
        ConfigEvent[] log = [.. History(random)];
        int pace = random.Next(5, 200);
        StreamHost watch = new(from: 1);
        int at = 0;
        int taken = 0;
        int steps = 0;
        int putOff = 0;
        while (watch.Items.Count < Revisions)
        {
            Assert.True(++steps < 20_000, $"Seed {seed} makes no progress.");
            bool isPutOff = TakeAbandon(watch);
            putOff += isPutOff ? 1 : 0;
            if (isPutOff || random.Next(pace) == 0)
            {
                StreamItem.Revision[] some = [.. watch.Items.Skip(taken)];
                taken += some.Length;
                watch.Take(some.Length, some.Sum(item => item.Bytes));
                if (isPutOff)
                    at = Position(log, watch.TakeWatch());
            }
            else if (random.Next(20) == 0)
            {
                (int link, long id) = (watch.Host.Link, watch.Asked.CorrelationId);
                at = Position(log, watch.Reconnect());
                // What was on its way over the old connection.
                watch.Receive(link, id, StreamHost.Page(Revisions + 1, StreamHost.Put(Revisions)));
            }
            else if (random.Next(40) == 0)
            {
                watch.Refuse(ErrorCode.NoQuorum);
                watch.Host.PassTicking(TimeSpan.FromSeconds(5));
                at = Position(log, watch.TakeWatch());
            }
            else
            {
                at = SendPage(random, watch, log, at);
            }
        }

        Assert.Equal(Enumerable.Range(1, Revisions).Select(i => (long)i), watch.Delivered);
        Assert.Equal(log, watch.Items.SelectMany(item => item.Events));
        return putOff;
    }

    private static IEnumerable<ConfigEvent> History(Random random)
    {
        for (int revision = 1; revision <= Revisions; revision++)
        {
            int keys = random.Next(1, 5);
            for (int key = 0; key < keys; key++)
                yield return StreamHost.Put(revision, $"app/{key}", random.Next(60_000));
        }
    }

    /// <returns>Where the silo goes on.</returns>
    private static int SendPage(Random random, StreamHost watch, ConfigEvent[] log, int at)
    {
        int end = Math.Min(log.Length, at + random.Next(6));
        bool continues = end > at && end < log.Length
            && log[end].Entry.ModifyRevision == log[end - 1].Entry.ModifyRevision;
        long last = end == 0 ? 0 : log[end - 1].Entry.ModifyRevision;
        // An empty page within a revision says no more than the one before it.
        if (end == at)
            return at;
        // A silo may repeat whole revisions that it has sent before.
        int begin = random.Next(4) == 0 && !IsWithin(log, at) ? Start(log, Math.Max(0, at - 3)) : at;
        WatchPage page = StreamHost.Page(continues ? last : last + 1, log[begin..end]);
        page.Continues = continues;
        watch.Receive(page);
        return end;
    }

    private static bool IsWithin(ConfigEvent[] log, int at) =>
        at > 0 && at < log.Length && log[at].Entry.ModifyRevision == log[at - 1].Entry.ModifyRevision;

    private static int Start(ConfigEvent[] log, int at)
    {
        while (IsWithin(log, at))
            at--;
        return at;
    }

    private static int Position(ConfigEvent[] log, ClientFrame asked)
    {
        int at = Array.FindIndex(log, change => change.Entry.ModifyRevision >= asked.Watch.Config.FromRevision);
        return at < 0 ? log.Length : at;
    }

    private static bool TakeAbandon(StreamHost watch)
    {
        if (!watch.Host.Sent.TryPeek(out ClientFrame? frame) || frame.Abandon is null)
            return false;
        watch.Host.Take();
        return true;
    }
}
