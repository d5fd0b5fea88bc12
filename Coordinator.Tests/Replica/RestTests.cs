using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

/// <summary>Quiescence (rule 24): who goes to rest, what wakes it, and what the time asleep counts for.</summary>
public sealed class RestTests
{
    private const long AsleepUs = 3_600_000_000;

    private static readonly ReplicaOptions Options = new() { QuiesceElections = 2 };
    private static readonly PeerId Two = new(2);
    private static readonly PeerId Three = new(3);

    [Fact]
    public void A_leader_asks_and_sleeps_when_all_have_said_that_they_do()
    {
        Scene scene = Scene.OfLeader();
        scene.Tick(until: () => scene.Asks);
        scene.Answer(Two, rests: true);
        Assert.False(scene.Machine.IsQuiesced);
        scene.Answer(Three, rests: false);
        Assert.False(scene.Machine.IsQuiesced);

        scene.Answer(Three, rests: true);
        Assert.True(scene.Machine.IsQuiesced);
        Assert.True(scene.Machine.GetStatus() is { IsQuiesced: true, IsReady: true });
        scene.Peer.Turn(afterUs: AsleepUs);
        Assert.Empty(scene.Peer.Sent);
        Assert.True(scene.Peer.Effects is { Persist: null, ReadEpoch: null, Warnings.Count: 0 });
    }

    [Fact]
    public void A_leader_does_not_ask_before_it_was_idle_for_so_long_nor_where_it_may_not()
    {
        Scene scene = Scene.OfLeader();
        scene.Tick(until: () => scene.Asks);
        scene.Ask();
        Assert.False(scene.Asks);
        scene.Tick(ticks: (2 * Options.ElectionTicks) - 2);
        Assert.False(scene.Asks);

        scene = Scene.OfLeader(Options with { QuiesceElections = 0 });
        scene.Tick(ticks: 100);
        Assert.False(scene.Asks);
    }

    [Fact]
    public void A_group_with_a_session_or_a_follower_that_lags_is_not_asked()
    {
        Scene scene = Scene.OfLeader();
        scene.Execute(new Command { CreateSession = new CreateSession { Nonce = Google.Protobuf.ByteString.CopyFrom(new byte[16]), TtlUs = 60_000_000 } });
        scene.Tick(ticks: 100);
        Assert.False(scene.Asks);

        scene = Scene.OfLeader();
        scene.Lagging = Three;
        scene.Execute(new Command { PutConfig = new PutConfig { Key = "k" } });
        scene.Tick(ticks: 100);
        Assert.False(scene.Asks);
        scene.Lagging = PeerId.None;
        scene.Tick(until: () => scene.Asks);
    }

    [Fact]
    public void A_leader_that_is_asked_after_a_long_sleep_calls_the_others_and_leads_on()
    {
        Scene scene = Scene.OfSleepingLeader();
        Term term = scene.Machine.Raft.Term;
        scene.Peer.Turn(machine => machine.Submit(MachineUnderTest.Put("k")), afterUs: AsleepUs);

        Assert.Equal([Two, Three], scene.Peer.Sent.Where(sent => sent.Message.Type == MessageType.Heartbeat).Select(sent => sent.To));
        Assert.DoesNotContain(scene.Peer.Sent, sent => sent.AtRest);
        scene.Tick(ticks: 100);
        Assert.Equal((true, term), (scene.Machine.IsLeader, scene.Machine.Raft.Term));
    }

    [Fact]
    public void A_read_after_the_sleep_waits_for_a_quorum_and_for_the_own_epoch()
    {
        Scene scene = Scene.OfSleepingLeader();
        scene.Peer.Turn(machine => machine.Submit(new QueryTicket(new Query { GetConfig = new GetConfig { Key = "k" } })), afterUs: AsleepUs);
        Assert.Empty(scene.Peer.Effects.Answered);
        long epoch = Assert.NotNull(scene.Peer.Effects.ReadEpoch);

        scene.Peer.Turn(machine => machine.EpochRead(epoch, epoch + 1));
        Assert.Equal(ServiceState.Stopped, scene.Machine.Service);
    }

    [Fact]
    public void A_leader_that_nobody_answers_after_the_sleep_steps_down_a_time_out_later()
    {
        Scene scene = Scene.OfSleepingLeader();
        scene.IsAlone = true;
        scene.Peer.Turn(machine => machine.Submit(MachineUnderTest.Put("k")), afterUs: AsleepUs);
        scene.Tick(ticks: Options.ElectionTicks - 1);
        Assert.True(scene.Machine.IsLeader);

        scene.Tick(ticks: 2);
        Assert.False(scene.Machine.IsLeader);
    }

    [Fact]
    public void The_time_asleep_is_in_the_first_stamp_after_it()
    {
        Scene scene = Scene.OfLeader();
        scene.Execute(new Command { PutConfig = new PutConfig { Key = "k" } });
        long before = scene.Machine.State.LogTimeUs;
        scene.FallAsleep();
        scene.Peer.Turn(machine => machine.Submit(MachineUnderTest.Put("l")), afterUs: AsleepUs);
        scene.Tick(ticks: 3);

        Assert.InRange(scene.Machine.State.LogTimeUs - before, AsleepUs, AsleepUs + 60_000_000);
    }

    [Fact]
    public void A_leader_that_stops_in_its_sleep_wakes_the_others()
    {
        Scene scene = Scene.OfSleepingLeader();
        scene.Peer.Turn(machine => machine.Halt(ServiceState.Stopped, "test"));

        Assert.Equal([Two, Three], scene.Peer.Sent.Where(sent => sent is { AtRest: false, Message.Type: MessageType.Heartbeat }).Select(sent => sent.To));
        Assert.False(scene.Machine.IsQuiesced);
    }

    [Fact]
    public void A_leader_that_breaks_as_it_wakes_has_called_the_others()
    {
        Scene scene = Scene.OfSleepingLeader();
        scene.Machine.BeginTurn(AsleepUs * 2);
        scene.Machine.Submit(MachineUnderTest.Put("k"));
        scene.Peer.Take(scene.Machine.Break("test"));

        Assert.Equal([Two, Three], scene.Peer.Sent.Select(sent => sent.To));
    }

    [Fact]
    public void A_follower_that_is_asked_agrees_and_neither_campaigns_nor_asks_its_storage()
    {
        MachineUnderTest peer = SleepingFollower();
        Envelope answer = peer.Sent.Last();
        Assert.Equal((true, MessageType.HeartbeatResp, Three), (answer.AtRest, answer.Message.Type, answer.To));
        peer.Sent.Clear();

        peer.Turn(afterUs: AsleepUs);
        Assert.Empty(peer.Sent);
        Assert.Null(peer.Effects.ReadEpoch);
        Assert.Equal((RaftState.Follower, Three), (peer.Machine.Raft.State, peer.Machine.Raft.Leader));
    }

    [Fact]
    public void A_follower_that_is_asked_with_another_commit_index_or_something_open_does_not_agree()
    {
        MachineUnderTest peer = FollowerOfThree();
        peer.Receive(Heartbeat(peer, peer.Machine.Raft.CommitIndex - 1), atRest: true);
        Assert.False(peer.Machine.IsQuiesced);

        peer.Turn(machine => machine.Submit(new QueryTicket(new Query { GetConfig = new GetConfig { Key = "k" } })));
        Rest(peer);
        Assert.False(peer.Machine.IsQuiesced);
    }

    [Theory]
    [InlineData("heartbeat")]
    [InlineData("vote request")]
    [InlineData("request")]
    [InlineData("link lost")]
    public void A_sleeping_follower_wakes_and_gives_its_leader_a_whole_time_out(string waker)
    {
        MachineUnderTest peer = SleepingFollower();
        peer.Sent.Clear();
        switch (waker)
        {
            case "heartbeat":
                peer.Receive(Heartbeat(peer, peer.Machine.Raft.CommitIndex));
                break;
            case "vote request":
                peer.Receive(new Message { Type = MessageType.PreVote, From = Two, Term = peer.Machine.Raft.Term.Next, Index = 99, LogTerm = peer.Machine.Raft.Term });
                break;
            case "request":
                peer.Turn(machine => machine.Submit(MachineUnderTest.Put("k")), afterUs: AsleepUs);
                break;
            default:
                peer.Turn(machine => machine.ForgetLeader(Three), afterUs: AsleepUs);
                break;
        }

        Assert.False(peer.Machine.IsQuiesced);
        // But for its own word the leader would sleep on, and be silent.
        Assert.Single(peer.Sent, sent => sent is { AtRest: false, Message: { Type: MessageType.HeartbeatResp, Context.IsEmpty: true } } && sent.To == Three);
        peer.Sent.Clear();
        for (int i = 0; i < Options.ElectionTicks - 1; i++)
            peer.Turn(afterUs: Options.TickUs);
        Assert.DoesNotContain(peer.Sent, sent => sent.Message.Type == MessageType.PreVote);
        for (int i = 0; i < Options.ElectionTicks + 1; i++)
            peer.Turn(afterUs: Options.TickUs);
        Assert.Contains(peer.Sent, sent => sent.Message.Type == MessageType.PreVote);
    }

    [Fact]
    public void A_learner_that_a_late_message_woke_calls_the_leader_that_sleeps_on_its_word()
    {
        MachineUnderTest peer = SleepingFollower(new ConfState { Voters = [Two, Three], Learners = [new(1)] });
        peer.Receive(Heartbeat(peer, peer.Machine.Raft.CommitIndex));
        Assert.False(peer.Machine.IsQuiesced);
        peer.Sent.Clear();

        for (int i = 0; i < Options.ElectionTicks; i++)
            peer.Turn(afterUs: Options.TickUs);
        Assert.Equal((MessageType.HeartbeatResp, Three, false), peer.Sent.Select(sent => (sent.Message.Type, sent.To, sent.AtRest)).Single());
    }

    [Fact]
    public void News_of_a_followers_death_lets_all_sleep()
    {
        MachineUnderTest peer = SleepingFollower();
        peer.Turn(machine => machine.ForgetLeader(Two));
        Assert.True(peer.Machine.IsQuiesced);

        Scene scene = Scene.OfSleepingLeader();
        scene.Peer.Turn(machine => machine.ReportUnreachable(Two));
        Assert.True(scene.Machine.IsQuiesced);
        Assert.Empty(scene.Peer.Sent);
    }

    [Fact]
    public void A_linearizable_read_at_a_sleeping_follower_asks_its_leader()
    {
        MachineUnderTest peer = SleepingFollower();
        peer.Sent.Clear();
        peer.Turn(machine => machine.Submit(new QueryTicket(new Query { GetConfig = new GetConfig { Key = "k" } })), afterUs: AsleepUs);

        Assert.Contains(peer.Sent, sent => sent.Message.Type == MessageType.ReadIndex && sent.To == Three);
        Assert.Empty(peer.Effects.Answered);
    }

    private static MachineUnderTest FollowerOfThree(ConfState? members = null)
    {
        var peer = new MachineUnderTest(members ?? MachineUnderTest.ThreeVoters, Options);
        peer.Receive(Heartbeat(peer, peer.Machine.Raft.CommitIndex));
        for (int i = 0; i < Options.ElectionTicks; i++)
        {
            peer.Turn(afterUs: Options.TickUs);
            if (peer.Effects.ReadEpoch is { } epoch)
                peer.Turn(machine => machine.EpochRead(epoch, epoch));
            peer.Receive(Heartbeat(peer, peer.Machine.Raft.CommitIndex));
            peer.WriteAll();
        }
        return peer;
    }

    private static MachineUnderTest SleepingFollower(ConfState? members = null)
    {
        MachineUnderTest peer = FollowerOfThree(members);
        for (int i = 0; i < 100 && !peer.Machine.IsQuiesced; i++)
        {
            peer.Turn(afterUs: Options.TickUs);
            Settle(peer);
            Rest(peer);
        }
        Assert.True(peer.Machine.IsQuiesced);
        return peer;
    }

    private static void Settle(MachineUnderTest peer)
    {
        if (peer.Effects.ReadEpoch is { } epoch)
            peer.Turn(machine => machine.EpochRead(epoch, epoch));
        peer.WriteAll();
    }

    private static void Rest(MachineUnderTest peer) => peer.Receive(Heartbeat(peer, peer.Machine.Raft.CommitIndex), atRest: true);

    private static Message Heartbeat(MachineUnderTest peer, long commit) =>
        new() { Type = MessageType.Heartbeat, From = Three, Term = peer.Machine.Raft.Term, Commit = commit };

    /// <summary>Peer 1 leads, and two followers take all that it sends.</summary>
    private sealed class Scene
    {
        private Scene(ReplicaOptions options)
        {
            Peer = new MachineUnderTest(MachineUnderTest.ThreeVoters, options);
            Peer.Elect(voter: 2);
            Tick(ticks: 5);
        }

        public MachineUnderTest Peer { get; }

        public ReplicaMachine Machine => Peer.Machine;

        /// <summary>By the last heartbeats.</summary>
        public bool Asks { get; private set; }

        public PeerId Lagging { get; set; }

        public bool IsAlone { get; set; }

        public static Scene OfLeader(ReplicaOptions? options = null) => new(options ?? Options);

        public static Scene OfSleepingLeader()
        {
            Scene scene = OfLeader();
            scene.FallAsleep();
            return scene;
        }

        public void FallAsleep()
        {
            Tick(until: () => Asks);
            Answer(Two, rests: true);
            Answer(Three, rests: true);
            Assert.True(Machine.IsQuiesced);
            Peer.Sent.Clear();
        }

        /// <summary>A read that needs nobody: but somebody was there.</summary>
        public void Ask()
        {
            Peer.Turn(machine => machine.Submit(new QueryTicket(new Query { GetConfig = new GetConfig { Key = "k" }, Serializable = true })));
            Tick(ticks: 1);
        }

        public void Execute(Command command)
        {
            Peer.Turn(machine => machine.Submit(MachineUnderTest.Ticket(command)));
            Tick(ticks: 3);
        }

        public void Answer(PeerId from, bool rests) => Peer.Receive(
            new Message { Type = MessageType.HeartbeatResp, From = from, Term = Machine.Raft.Term }, atRest: rests);

        public void Tick(Func<bool> until)
        {
            for (int i = 0; i < 200 && !until(); i++)
                Tick(ticks: 1);
            Assert.True(until());
        }

        public void Tick(int ticks)
        {
            for (int i = 0; i < ticks; i++)
            {
                Peer.Turn(afterUs: Options.TickUs);
                if (Peer.Effects.ReadEpoch is { } epoch)
                    Peer.Turn(machine => machine.EpochRead(epoch, epoch));
                Peer.WriteAll();
                List<Envelope> heartbeats = [.. Peer.Sent.Where(sent => sent.Message.Type == MessageType.Heartbeat)];
                Asks = heartbeats.Count > 0 && heartbeats[^1].AtRest;
                Peer.Sent.Clear();
                foreach (PeerId from in IsAlone ? [] : new[] { Two, Three })
                    Follow(from);
                Peer.Sent.Clear();
            }
        }

        private void Follow(PeerId from)
        {
            if (Machine.Raft.GetStatus().Progress.FirstOrDefault(progress => progress.Peer == from).Match < Machine.Raft.LastIndex && from != Lagging)
                Peer.Receive(new Message { Type = MessageType.AppResp, From = from, Term = Machine.Raft.Term, Index = Machine.Raft.LastIndex });
            Answer(from, rests: false);
            Peer.WriteAll();
        }
    }
}
