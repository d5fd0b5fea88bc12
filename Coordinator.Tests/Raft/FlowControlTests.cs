using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>
/// Pipelining and its limits: messages and bytes in flight, message size, uncommitted and unapplied bytes.
/// </summary>
public sealed class FlowControlTests
{
    private const int OneEntryAMessage = 0;

    [Fact]
    public void A_leader_sends_on_without_waiting_for_answers()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        for (int i = 0; i < 5; i++)
        {
            leader.Propose($"{i}");
        }

        IReadOnlyList<Message> messages = leader.Work();
        Assert.Equal([2, 3, 4, 5, 6], messages.Where(m => m.To.Value == 2).Select(m => m.Entries[0].Index));
        Assert.Equal(5, leader.ProgressOf(2).Inflight);
    }

    [Fact]
    public void No_more_messages_are_in_flight_than_allowed()
    {
        RaftGroup group = new(3, o => o with { MaxInflightMessages = 3 });
        GroupPeer leader = group.Elect(1);

        for (int i = 0; i < 10; i++)
        {
            leader.Propose($"{i}");
        }

        Assert.Equal(3, leader.Work().Count(m => m.To.Value == 2));
        Assert.True(leader.ProgressOf(2).InflightFull);
        Assert.True(leader.ProgressOf(2).Paused);
    }

    [Fact]
    public void An_acknowledgement_frees_all_messages_up_to_it()
    {
        RaftGroup group = new(3, o => o with { MaxInflightMessages = 3 });
        GroupPeer leader = group.Elect(1);
        for (int i = 0; i < 10; i++)
        {
            leader.Propose($"{i}");
        }

        leader.Work();
        leader.Raft.Step(Acknowledge(leader, 3));

        // Entries 2 and 3 arrived, 4 is out: there is room for two messages, of which the first takes all the rest.
        Message next = leader.Work().Single(m => m.To.Value == 2 && m.Entries.Count > 0);
        Assert.Equal((5, 11), (next.Entries[0].Index, next.Entries.Last.Index));
    }

    [Fact]
    public void No_more_bytes_are_in_flight_than_allowed()
    {
        RaftGroup group = new(3, o => o with { MaxInflightBytes = 250, MaxMessageBytes = 200 });
        GroupPeer leader = group.Elect(1);

        for (int i = 0; i < 10; i++)
        {
            leader.Raft.Propose(new byte[100]);
        }

        // The message that reaches the limit is the last.
        Assert.Equal(3, leader.Work().Count(m => m.To.Value == 2));
    }

    [Fact]
    public void With_everything_in_flight_lost_replication_goes_on_after_heartbeats()
    {
        RaftGroup group = new(3, o => o with { MaxInflightMessages = 2 });
        GroupPeer leader = group.Elect(1);
        group.Lose = m => m.Type == MessageType.App && m.To.Value == 3;
        for (int i = 0; i < 10; i++)
        {
            leader.Propose($"{i}");
            group.Settle();
        }

        group.Heal();
        group.TickAll(3);

        Assert.Equal(leader.AppliedText, group[3].AppliedText);
    }

    [Theory]
    [InlineData(OneEntryAMessage, 1)]
    [InlineData(60, 1)]
    [InlineData(240, 4)]
    public void A_message_holds_as_many_entries_as_fit_and_at_least_one(long limit, int entries)
    {
        RaftGroup group = new(3, o => o with { MaxMessageBytes = limit });
        GroupPeer leader = group.Elect(1);
        group.Isolate(2);
        Proposal[] proposals = [.. Enumerable.Repeat(new Proposal(new byte[50], 0), 8)];
        leader.Raft.Propose(proposals);

        Message message = leader.Work().First(m => m.Type == MessageType.App && m.To.Value == 3);

        Assert.Equal(entries, message.Entries.Count);
    }

    [Fact]
    public void A_probing_leader_has_one_append_out_at_a_time()
    {
        RaftGroup group = new(3);
        group.Isolate(3);
        GroupPeer leader = group.Elect(1);
        group.Sent.Clear();

        for (int i = 0; i < 5; i++)
        {
            leader.Propose($"{i}");
            group.Settle();
        }

        Assert.DoesNotContain(group.Sent, m => m.Type == MessageType.App && m.To.Value == 3);
        Assert.Equal(ProgressState.Probe, leader.ProgressOf(3).State);
    }

    [Fact]
    public void A_peer_reported_unreachable_is_probed_and_replicates_again_once_it_answers()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Raft.ReportUnreachable(new PeerId(3));
        Assert.Equal(ProgressState.Probe, leader.ProgressOf(3).State);

        group.TickAll(1);

        Assert.Equal(ProgressState.Replicate, leader.ProgressOf(3).State);
    }

    [Theory]
    [InlineData(SnapshotStatus.Finished, 6)]
    [InlineData(SnapshotStatus.Failed, 2)]
    public void A_reported_snapshot_resumes_probing_after_it_or_where_it_was(SnapshotStatus status, long next)
    {
        RaftGroup group = new(3);
        GroupPeer leader = WithPendingSnapshot(group);
        Assert.Equal(5, leader.ProgressOf(3).PendingSnapshot);

        leader.Raft.ReportSnapshot(new PeerId(3), status);

        PeerProgress progress = leader.ProgressOf(3);
        Assert.Equal((ProgressState.Probe, next, true), (progress.State, progress.Next, progress.Paused));
    }

    [Fact]
    public void A_snapshot_is_not_sent_to_a_peer_that_is_silent()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        GroupPeer leader = group.Elect(1);
        group.Isolate(3);
        for (int i = 0; i < 30; i++)
        {
            leader.Propose($"{i}");
            group.Settle();
            leader.Tick(1);
        }

        leader.Storage.CreateSnapshot(20, leader.Members, default);
        leader.Storage.Compact(20);
        leader.Raft.ReportUnreachable(new PeerId(3));
        leader.Propose("x");
        group.Settle();

        Assert.DoesNotContain(group.Sent, m => m.Type == MessageType.Snap);
    }

    [Fact]
    public void Proposals_past_the_uncommitted_limit_are_refused_and_taken_again_once_entries_are_applied()
    {
        RaftGroup group = new(3, o => o with { MaxUncommittedBytes = 100 });
        GroupPeer leader = group.Elect(1);

        Assert.Equal(ProposalResult.Appended, leader.Raft.Propose(new byte[60]));
        Assert.Equal(ProposalResult.Appended, leader.Raft.Propose(new byte[40]));
        Assert.Equal(ProposalResult.UncommittedLimit, leader.Raft.Propose(new byte[1]));
        Assert.Equal(ProposalResult.Appended, leader.Raft.Propose(ReadOnlyMemory<byte>.Empty));
        group.Settle();
        Assert.Equal(ProposalResult.Appended, leader.Raft.Propose(new byte[1]));
    }

    [Fact]
    public void One_proposal_of_any_size_fits_an_empty_tail()
    {
        RaftGroup group = new(3, o => o with { MaxUncommittedBytes = 100 });

        Assert.Equal(ProposalResult.Appended, group.Elect(1).Raft.Propose(new byte[1000]));
    }

    [Fact]
    public void A_batch_past_the_uncommitted_limit_is_refused_as_a_whole()
    {
        RaftGroup group = new(3, o => o with { MaxUncommittedBytes = 100 });
        GroupPeer leader = group.Elect(1);
        leader.Propose("x");
        long last = leader.Raft.LastIndex;

        Proposal[] batch = [new(new byte[60], 0), new(new byte[60], 0)];

        Assert.Equal(ProposalResult.UncommittedLimit, leader.Raft.Propose(batch));
        Assert.Equal(last, leader.Raft.LastIndex);
    }

    [Fact]
    public void No_more_committed_bytes_are_handed_out_than_allowed_until_they_are_applied()
    {
        RaftGroup group = new(1, o => o with { MaxCommittedBytesPerReady = 120 });
        RawNode raft = group.Elect(1).Raft;
        raft.Propose([.. Enumerable.Repeat(new Proposal(new byte[50], 0), 5)]);

        List<int> handedOut = [];
        while (raft.HasReady)
        {
            Ready ready = raft.Ready();
            group[1].Write(ready.HardState, ready.Entries, null);
            if (!ready.CommittedEntries.IsEmpty)
            {
                handedOut.Add(ready.CommittedEntries.Count);
            }

            raft.Advance();
        }

        Assert.Equal([2, 2, 1], handedOut);
    }

    [Fact]
    public void Stamps_travel_beside_the_payload_to_every_peer()
    {
        RaftGroup group = new(3);
        group.Elect(1).Raft.Propose("x"u8.ToArray(), stamp: 42);
        group[1].Raft.Propose([new Proposal("y"u8.ToArray(), 43)]);
        group.Settle();

        Assert.All([1, 2, 3], id => Assert.Equal([0L, 42, 43], group[id].Applied.Select(e => e.Stamp)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_network_that_reorders_does_not_make_a_leader_send_its_window_again_and_again(int seed)
    {
        const int entries = 160;
        RaftGroup group = new(3, o => o with { MaxMessageBytes = OneEntryAMessage });
        GroupPeer leader = group.Elect(1);
        group.Isolate(3);
        for (int i = 0; i < entries; i++)
        {
            leader.Propose($"{i}");
            group.Settle();
        }

        group.Heal();
        leader.Raft.ReportUnreachable(new PeerId(3));
        leader.Propose("x");
        Assert.InRange(AppendsUntilRest(group, new Random(seed)), entries, 8 * entries);
        Assert.Equal(leader.LogTerms, group[3].LogTerms);
    }

    /// <summary>Any message may overtake any other.</summary>
    private static int AppendsUntilRest(RaftGroup group, Random random)
    {
        int appends = 0;
        List<Message> waiting = [];
        while (true)
        {
            for (int id = 1; id <= 3; id++)
            {
                while (group[id].Raft.HasReady)
                {
                    waiting.AddRange(group[id].Work());
                }
            }

            if (waiting.Count == 0)
            {
                return appends;
            }

            int next = random.Next(waiting.Count);
            appends += waiting[next] is { Type: MessageType.App, To.Value: 3 } ? 1 : 0;
            Assert.True(appends < 1_000_000, "the leader never comes to rest");
            group.Deliver(waiting[next]);
            waiting.RemoveAt(next);
        }
    }

    private static GroupPeer WithPendingSnapshot(RaftGroup group)
    {
        GroupPeer leader = group.Elect(1);
        group.Isolate(3);
        for (int i = 0; i < 6; i++)
        {
            leader.Propose($"{i}");
            group.Settle();
        }

        leader.Storage.CreateSnapshot(5, leader.Members, default);
        leader.Storage.Compact(5);
        leader.Raft.ReportUnreachable(new PeerId(3));
        leader.Propose("x");
        group.Settle();
        Assert.Equal(ProgressState.Snapshot, leader.ProgressOf(3).State);
        return leader;
    }

    private static Message Acknowledge(GroupPeer leader, long index) => new()
    {
        Type = MessageType.AppResp,
        From = new PeerId(2),
        To = leader.Id,
        Term = leader.Raft.Term,
        Index = index,
    };
}
