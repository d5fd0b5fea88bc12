using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Links;

public sealed class SiloLinksTests
{
    [Fact]
    public async Task Messages_arrive_in_order_at_each_silo_and_appends_among_themselves()
    {
        await using LinkedCluster cluster = new("a", "b", "c");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        for (int i = 1; i <= 2000; i++)
        {
            silos[1].Links.Send("a", EnvelopeSource.Small(1, i));
            silos[1].Links.Send("c", EnvelopeSource.Append(2, i, i % 100 == 0 ? 200_000 : 20));
        }
        await LinkedCluster.UntilAsync(() => silos[0].Received.Count == 2000 && silos[2].Received.Count == 2000);
        Assert.Equal(Enumerable.Range(1, 2000).Select(i => ("b", (long)i)),
            silos[0].Received.Select(item => (item.Silo, item.Envelope.Message.Index)));
        Assert.Equal(Enumerable.Range(1, 2000).Select(i => ("b", (long)i)),
            silos[2].Received.Select(item => (item.Silo, item.Envelope.Message.Index)));
        Assert.Empty(silos[1].Unreachable);
    }

    [Fact]
    public async Task Messages_that_wait_share_few_messages_of_the_wire()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        long before = silos[0].Links.StatusOf("b").MessagesSent;
        for (int i = 1; i <= 10_000; i++)
            silos[0].Links.Send("b", EnvelopeSource.Small(1, i));
        await LinkedCluster.UntilAsync(() => silos[1].Received.Count == 10_000);
        Assert.InRange(silos[0].Links.StatusOf("b").MessagesSent - before, 1, 2_500);
    }

    [Fact]
    public async Task A_snapshot_arrives_whole_and_heartbeats_go_on_beside_it()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        byte[] data = new byte[64 << 20];
        new Random(1).NextBytes(data);
        int beats = 0, beatsBefore = 0;
        Envelope? arrived = null;
        silos[1].OnReceived = (_, envelope) =>
        {
            if (envelope.Message.Type == MessageType.Snap)
                (arrived, beatsBefore) = (envelope, beats);
            else
                silos[1].Links.Send("a", EnvelopeSource.Small(1, ++beats, MessageType.HeartbeatResp));
        };
        silos[0].OnReceived = (_, envelope) =>
            silos[0].Links.Send("b", EnvelopeSource.Small(1, envelope.Message.Index + 1));

        silos[0].Links.Send("b", EnvelopeSource.Snapshot(1, data));
        silos[0].Links.Send("b", EnvelopeSource.Small(1, 1));

        await LinkedCluster.UntilAsync(() => Volatile.Read(ref arrived) is not null);
        Assert.Equal(data, arrived!.Message.Snapshot!.Data.ToArray());
        // Each beat was sent when the one before it had come back: none of them waited for the snapshot.
        Assert.InRange(beatsBefore, 3, int.MaxValue);
        Assert.Empty(silos[0].SnapshotsFailed);
    }

    [Fact]
    public async Task A_full_queue_drops_and_reports_and_never_makes_a_peer_wait()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync(options => options with
        {
            OutgoingBytesMax = 1 << 20,
            UnreachableInterval = TimeSpan.FromMilliseconds(1),
        });
        cluster.Relay("a", "b").GoSilent();
        for (int i = 0; i < 400; i++)
            silos[0].Links.Send("b", EnvelopeSource.Append(1, i, 100_000));
        Assert.NotEmpty(silos[0].Unreachable);
        Assert.InRange(silos[0].Links.StatusOf("b").PeerMessagesDropped, 1, 400);

        cluster.Relay("a", "b").Speak();
        await LinkedCluster.UntilAsync(() => silos[1].Received.Count + silos[0].Links.StatusOf("b").PeerMessagesDropped == 400);
        silos[0].Links.Send("b", EnvelopeSource.Small(1, 999));
        await LinkedCluster.UntilAsync(() => silos[1].Received.Any(item => item.Envelope.Message.Index == 999));
    }

    [Fact]
    public async Task The_limit_on_messages_holds_too()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync(options => options with { OutgoingMessagesMax = 100 });
        cluster.Relay("a", "b").GoSilent();
        for (int i = 0; i < 100_000; i++)
            silos[0].Links.Send("b", EnvelopeSource.Small(1, i));
        Assert.InRange(silos[0].Links.StatusOf("b").PeerMessagesDropped, 1, 100_000);
        Assert.NotEmpty(silos[0].Unreachable);
    }

    [Fact]
    public async Task Without_a_link_a_message_is_dropped_and_reported_and_a_snapshot_has_failed()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo silo = await cluster.StartAsync("a");
        silo.Links.Send("b", EnvelopeSource.Small(1, 1));
        silo.Links.Send("b", EnvelopeSource.Small(1, 2));
        silo.Links.Send("b", EnvelopeSource.Snapshot(1, [1]));
        Assert.Equal("b", silo.Unreachable.First());
        Assert.Equal(3, silo.Links.StatusOf("b").PeerMessagesDropped);
        Assert.Single(silo.SnapshotsFailed);
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "a")]
    public async Task A_snapshot_under_way_fails_when_the_link_is_lost(string from, string to)
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        LinkedSilo sender = silos.Single(silo => silo.Id == from), receiver = silos.Single(silo => silo.Id == to);
        cluster.Relay("a", "b").GoSilent();
        sender.Links.Send(to, EnvelopeSource.Snapshot(1, new byte[32 << 20]));
        sender.Links.Send(to, EnvelopeSource.Snapshot(2, new byte[10]));
        cluster.Relay("a", "b").Cut();
        await LinkedCluster.UntilAsync(() => sender.SnapshotsFailed.Count == 2);

        cluster.Relay("a", "b").Speak();
        await LinkedCluster.UntilAsync(() => sender.Events.Count(happened => happened == $"up {to}") == 2);
        sender.Links.Send(to, EnvelopeSource.Snapshot(1, new byte[1000]));
        await LinkedCluster.UntilAsync(() => !receiver.Received.IsEmpty);
        Assert.Equal(1000, Assert.Single(receiver.Received).Envelope.Message.Snapshot!.Data.Length);
    }

    [Fact]
    public async Task A_cut_link_is_noticed_on_both_sides_and_opened_again()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        cluster.Relay("a", "b").Cut();
        await LinkedCluster.UntilAsync(() => silos.All(silo => silo.Events.Count == 3));
        Assert.Equal(["up b", "lost b", "up b"], silos[0].Events);
        Assert.Equal(["up a", "lost a", "up a"], silos[1].Events);
        silos[1].Links.Send("a", EnvelopeSource.Small(1, 5));
        await LinkedCluster.UntilAsync(() => silos[0].Received.Count == 1);
    }

    [Fact]
    public async Task A_silent_connection_is_taken_for_dead_on_both_sides_and_others_are_not()
    {
        await using LinkedCluster cluster = new("a", "b", "c");
        LinkedSilo[] silos = await cluster.StartAllAsync(options => options with { DeadAfter = TimeSpan.FromSeconds(2) });
        cluster.Relay("a", "b").GoSilent();
        await LinkedCluster.UntilAsync(() => silos[0].Events.Contains("lost b") && silos[1].Events.Contains("lost a"));
        Assert.True(silos[0].Logged("Nothing was heard"));
        silos[2].Links.Send("a", EnvelopeSource.Small(1, 1));
        silos[2].Links.Send("b", EnvelopeSource.Small(1, 1));
        await LinkedCluster.UntilAsync(() => silos[0].Received.Count == 1 && silos[1].Received.Count == 1);
        cluster.Relay("a", "b").Speak();
        cluster.Relay("a", "b").Cut();
        await LinkedCluster.UntilLinkedAsync(silos);
    }

    [Fact]
    public async Task A_silo_that_stops_is_lost_at_once_and_what_waited_has_arrived()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync(options => options with { DeadAfter = TimeSpan.FromMinutes(5) });
        for (int i = 1; i <= 100; i++)
            silos[1].Links.Send("a", EnvelopeSource.Small(1, i));
        await silos[1].Links.StopAsync();
        await LinkedCluster.UntilAsync(() => silos[0].Events.Contains("lost b"));
        Assert.Equal(100, silos[0].Received.Count);
    }

    [Fact]
    public async Task Facts_are_told_when_they_change_and_first_of_all_on_a_new_link()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo a = await cluster.StartAsync("a");
        a.Links.Tell(new SiloFacts { Groups = { new GroupFact { Group = 1, LeaderPeerId = 3, Term = 4 } } });
        LinkedSilo b = await cluster.StartAsync("b");
        await LinkedCluster.UntilAsync(() => b.Facts.Count == 1);
        Assert.Equal(3, b.Facts.Single().Facts.Groups[0].LeaderPeerId);
        a.Links.Tell(new SiloFacts { Stopping = true });
        await LinkedCluster.UntilAsync(() => b.Facts.Count == 2);
        Assert.Equal(("a", true), (b.Facts.Last().Silo, b.Facts.Last().Facts.Stopping));
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_dropped_alone()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        Envelope bad = EnvelopeSource.Small(1, 1) with { Epoch = -1 };
        silos[0].Links.Send("b", bad);
        silos[0].Links.Send("b", EnvelopeSource.Small(1, 2));
        await LinkedCluster.UntilAsync(() => silos[1].Received.Count == 1);
        Assert.Equal(2, silos[1].Received.Single().Envelope.Message.Index);
        Assert.True(silos[1].Logged("negative number"));
        Assert.Equal(["up a"], silos[1].Events);
    }
}
