using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>Rule 13 and the life of a session.</summary>
public sealed class SessionDeadlineTests
{
    private static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);
    private readonly MachineHost _host = new();

    [Fact]
    public void A_session_lives_until_its_ttl_less_the_margin_after_the_create_was_sent()
    {
        var (_, _, frame) = _host.StartAcquire(TimeSpan.FromSeconds(5));
        _host.Answer(frame, Outcome.Granted, 42);

        _host.Pass(MachineHost.Validity - Instant);
        Assert.Empty(_host.Lost);
        _host.Pass(Instant);
        Assert.Single(_host.Lost);
    }

    [Fact]
    public void The_deadline_counts_from_the_first_sending_of_a_create_that_was_repeated()
    {
        object caller = _host.Submit(new AcquireOperation("a", TimeSpan.FromSeconds(60)));
        _host.Connect();
        ClientFrame first = _host.Take();
        _host.Pass(TimeSpan.FromSeconds(1));
        _host.Disconnect();
        _host.Connect();
        ClientFrame second = _host.Take();
        Assert.Equal(first, second);

        _host.Answer(second, new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        _host.Pass(MachineHost.Validity - TimeSpan.FromSeconds(1) - Instant);
        Assert.Empty(_host.Lost);
        _host.Pass(Instant);
        Assert.Single(_host.Lost);
        Assert.False(_host.Completed.ContainsKey(caller));
    }

    [Fact]
    public void A_create_that_stays_unanswered_for_half_a_life_is_asked_for_anew_with_another_nonce()
    {
        _host.Submit(new AcquireOperation("a", TimeSpan.FromSeconds(60)));
        _host.Connect();
        ClientFrame first = _host.Take();
        _host.Answer(first, ErrorCode.NoQuorum);
        _host.Pass(MachineHost.Validity / 2);

        ClientFrame second = _host.Take();
        Assert.NotEqual(first.Command.CreateSession.Nonce, second.Command.CreateSession.Nonce);
        _host.Answer(first, new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        Assert.Empty(_host.Opened);
        _host.Answer(second, new CommandResult { Outcome = Outcome.Done, SessionId = 8 });
        Assert.Equal(8, Assert.Single(_host.Opened).Id);
    }

    [Fact]
    public void Keep_alives_go_out_at_a_third_of_the_life_and_sooner_again_while_unanswered()
    {
        _host.AcquireNow();
        _host.Pass(MachineHost.Validity / 3 - Instant);
        Assert.Empty(_host.Sent);
        _host.Pass(Instant);
        Assert.Equal(7, _host.Take().KeepAlive.SessionId);
        _host.Pass(MachineHost.Validity / 9);
        Assert.Equal(7, _host.Take().KeepAlive.SessionId);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void The_new_deadline_counts_from_the_sending_of_the_keep_alive_that_was_answered()
    {
        _host.AcquireNow();
        _host.Pass(MachineHost.Validity / 3);
        ClientFrame first = _host.Take();
        TimeSpan sent = _host.Now.Monotonic;
        _host.Pass(MachineHost.Validity / 9);
        _host.Take();
        _host.AnswerKeepAlive(first);

        _host.Disconnect();
        _host.Pass(sent + MachineHost.Validity - Instant - _host.Now.Monotonic);
        Assert.Empty(_host.Lost);
        _host.Pass(Instant);
        Assert.Single(_host.Lost);
    }

    [Fact]
    public void A_late_answer_to_an_older_keep_alive_takes_nothing_back()
    {
        _host.AcquireNow();
        _host.Pass(MachineHost.Validity / 3);
        ClientFrame first = _host.Take();
        _host.Pass(MachineHost.Validity / 9);
        ClientFrame second = _host.Take();
        TimeSpan sent = _host.Now.Monotonic;
        _host.AnswerKeepAlive(second);
        _host.AnswerKeepAlive(first);

        _host.Disconnect();
        _host.Pass(sent + MachineHost.Validity - Instant - _host.Now.Monotonic);
        Assert.Empty(_host.Lost);
    }

    [Fact]
    public void A_keep_alive_answered_on_an_earlier_link_extends_nothing()
    {
        _host.AcquireNow();
        TimeSpan created = _host.Now.Monotonic;
        _host.Pass(MachineHost.Validity / 3);
        ClientFrame frame = _host.Take();
        int old = _host.Link;
        _host.Disconnect();
        _host.Receive(old, new ServerFrame
        {
            CorrelationId = frame.CorrelationId,
            KeepAlive = new KeepAliveAnswer { SessionId = 7 },
        });
        _host.Pass(created + MachineHost.Validity - _host.Now.Monotonic);
        Assert.Single(_host.Lost);
    }

    [Fact]
    public void A_wall_clock_that_jumps_forward_shortens_the_session()
    {
        _host.AcquireNow();
        _host.Pass(Instant, MachineHost.Validity);
        Assert.Single(_host.Lost);
    }

    [Fact]
    public void A_wall_clock_that_jumps_back_extends_nothing()
    {
        _host.AcquireNow();
        _host.Pass(Instant, TimeSpan.FromHours(-1));
        _host.Disconnect();
        _host.Pass(MachineHost.Validity - 2 * Instant);
        Assert.Empty(_host.Lost);
        _host.Pass(Instant);
        Assert.Single(_host.Lost);
    }

    [Fact]
    public void After_a_sleep_that_stopped_the_monotonic_clock_a_grant_is_not_handed_out()
    {
        var (_, caller, frame) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        ClientInstant woken = _host.Now with { Wall = _host.Now.Wall + TimeSpan.FromHours(1) };
        _host.Machine.Received(_host.Link, new ServerFrame
        {
            CorrelationId = frame.CorrelationId,
            Command = new CommandAnswer { Result = new CommandResult { Outcome = Outcome.Granted, Token = 42 } },
        }, woken);
        _host.Pass(TimeSpan.Zero, TimeSpan.FromHours(1));

        Assert.Single(_host.Lost);
        Assert.False(_host.Completed.ContainsKey(caller));
    }

    [Fact]
    public void The_host_is_asked_to_look_at_the_wall_clock_well_before_the_deadline()
    {
        _host.AcquireNow();
        Assert.True(_host.Machine.NextTick() - _host.Now.Monotonic <= TimeSpan.FromMilliseconds(500));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_session_that_the_cluster_has_ended_is_lost_at_once(bool isPushed)
    {
        _host.AcquireNow();
        _host.Pass(MachineHost.Validity / 3);
        ClientFrame keepAlive = _host.Take();
        if (isPushed)
            _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7, Reason = "expired" } });
        else
            _host.AnswerKeepAlive(keepAlive, ErrorCode.SessionNotFound);
        Assert.Single(_host.Lost);
    }

    [Fact]
    public void A_lost_session_is_followed_by_another_at_the_next_acquire_and_never_revived()
    {
        var (holding, _) = _host.AcquireNow();
        _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7 } });
        Assert.Empty(_host.Sent);

        var (_, caller, frame) = _host.StartAcquire(TimeSpan.FromSeconds(5), sessionId: 8);
        Assert.Equal(8, frame.Command.SessionId);
        Assert.Equal(1, frame.Command.RequestId);
        _host.Answer(frame, Outcome.Granted, 50);
        Assert.IsType<Completion.Acquired>(_host.Completed[caller]);
        Assert.Equal(SessionPhase.Over, holding.Session.Phase);
    }

    [Fact]
    public void Holders_hear_of_a_loss_before_anything_that_follows_from_it()
    {
        var (holding, _) = _host.AcquireNow();
        object write = _host.Submit(new WriteOperation(new Command { PutConfig = new PutConfig { Key = "k" } }));
        object release = _host.Submit(new ReleaseOperation(holding));
        _host.Order.Clear();
        _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7 } });

        Assert.Equal(["SessionLost", "Completed", "Completed"], _host.Order);
        Assert.IsType<Completion.OutcomeUnknown>(_host.Completed[write]);
        Assert.IsType<Completion.Released>(_host.Completed[release]);
    }

    [Fact]
    public void A_shorter_ttl_than_asked_for_is_taken_from_the_answer()
    {
        _host.Submit(new AcquireOperation("a", Timeout.InfiniteTimeSpan));
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7, TtlUs = 5_000_000 });
        _host.Pass(TimeSpan.FromMilliseconds(4929));
        Assert.Empty(_host.Lost);
        _host.Pass(Instant);
        Assert.Single(_host.Lost);
    }

    [Fact]
    public void An_acquire_that_holds_back_the_answered_ids_drains_its_session_and_the_next_takes_over()
    {
        var (_, waiting, first) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Pass(TimeSpan.FromSeconds(2));
        int sent = 0;
        ClientFrame frame;
        do
        {
            _host.Submit(new WriteOperation(new Command { PutConfig = new PutConfig { Key = "k" } }));
            frame = _host.Take();
            if (frame.Command.OperationCase == Command.OperationOneofCase.PutConfig)
                _host.Answer(frame, Outcome.Done);
            Assert.True(++sent < 1024);
        }
        while (frame.Command.OperationCase != Command.OperationOneofCase.CreateSession);
        _host.Answer(frame, new CommandResult { Outcome = Outcome.Done, SessionId = 8 });
        Assert.Equal(8, _host.Take(Command.OperationOneofCase.PutConfig).Command.SessionId);
        Assert.Empty(_host.Lost);

        _host.Answer(first, Outcome.Granted, 42);
        Holding holding = Assert.IsType<Completion.Acquired>(_host.Completed[waiting]).Holding;
        _host.Submit(new ReleaseOperation(holding));
        _host.Answer(_host.Take(Command.OperationOneofCase.ReleaseLock), Outcome.Released);
        Assert.Equal(7, _host.Take(Command.OperationOneofCase.EndSession).Command.SessionId);
    }
}
