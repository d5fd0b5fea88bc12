using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>Request ids, repeats, links and leaders (rule 14).</summary>
public sealed class RetryTests
{
    private readonly MachineHost _host = new();

    private static WriteOperation Put(string key = "k") =>
        new(new Command { PutConfig = new PutConfig { Key = key } });

    [Fact]
    public void Request_ids_count_up_from_one_and_carry_what_is_answered()
    {
        var (_, _, first) = _host.StartAcquire(Timeout.InfiniteTimeSpan, "a");
        _host.Submit(Put());
        ClientFrame second = _host.Take();
        _host.Submit(Put());
        ClientFrame third = _host.Take();
        Assert.Equal([1, 2, 3], new[] { first, second, third }.Select(frame => frame.Command.RequestId));
        Assert.All([first, second, third], frame => Assert.Equal(1, frame.Command.AnsweredBelow));

        _host.Answer(second, Outcome.Done);
        _host.Submit(Put());
        Assert.Equal(1, _host.Take().Command.AnsweredBelow);
        _host.Answer(first, Outcome.Granted, 42);
        _host.Submit(Put());
        Assert.Equal(3, _host.Take().Command.AnsweredBelow);
    }

    [Fact]
    public void What_is_open_is_repeated_byte_for_byte_and_in_order_on_the_next_link()
    {
        var (_, _, acquire) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Submit(Put());
        ClientFrame put = _host.Take();
        ClientFrame[] before = [acquire.Clone(), put.Clone()];
        _host.Disconnect();
        _host.Connect();

        Assert.Equal(7, _host.Take().KeepAlive.SessionId);
        Assert.Equal(before, new[] { _host.Take(), _host.Take() });
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void A_lost_answer_is_given_again_to_the_repeat_and_told_once()
    {
        var (_, caller, frame) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        int old = _host.Link;
        _host.Disconnect();
        _host.Connect();
        _host.Take();
        ClientFrame repeat = _host.Take();
        ServerFrame answer = new()
        {
            CorrelationId = frame.CorrelationId,
            Command = new CommandAnswer { Result = new CommandResult { Outcome = Outcome.Granted, Token = 42 } },
        };
        // What an earlier link still delivers counts for nothing: the repeat is answered too.
        _host.Receive(old, answer);
        Assert.Empty(_host.Completed);
        _host.Answer(repeat, Outcome.Granted, 42);
        _host.Receive(answer);
        Assert.Equal(42, Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding.Token);
    }

    [Theory]
    [InlineData(ErrorCode.NotLeader)]
    [InlineData(ErrorCode.NoQuorum)]
    [InlineData(ErrorCode.Overloaded)]
    [InlineData(ErrorCode.Stopping)]
    [InlineData(ErrorCode.StorageUnavailable)]
    [InlineData(ErrorCode.OutcomeUnknown)]
    public void A_refusal_that_says_nothing_about_the_request_is_followed_by_the_same_bytes_after_a_pause(ErrorCode error)
    {
        _host.AcquireNow();
        object caller = _host.Submit(Put());
        ClientFrame put = _host.Take();
        _host.Answer(put, error);
        Assert.Empty(_host.Sent);
        Assert.False(_host.Completed.ContainsKey(caller));

        _host.PassTicking(TimeSpan.FromMilliseconds(100));
        Assert.Equal(put, _host.Take());
        _host.Answer(put, Outcome.Done);
        Assert.IsType<Completion.Answered>(_host.Completed[caller]);
    }

    [Theory]
    [InlineData(ErrorCode.ValueTooLarge)]
    [InlineData(ErrorCode.KeyNotFound)]
    [InlineData(ErrorCode.TooManySessions)]
    public void A_final_refusal_ends_the_request(ErrorCode error)
    {
        _host.AcquireNow();
        object caller = _host.Submit(Put());
        _host.Answer(_host.Take(), error);
        Assert.Equal(error, Assert.IsType<Completion.Answered>(_host.Completed[caller]).Answer.Result.Error);
    }

    [Fact]
    public void A_session_that_is_refused_for_good_fails_those_who_wait_for_it()
    {
        object caller = _host.Submit(Put());
        _host.Connect();
        _host.Answer(_host.Take(), ErrorCode.InvalidTtl);
        Assert.Equal(ErrorCode.InvalidTtl, Assert.IsType<Completion.Refused>(_host.Completed[caller]).Code);
    }

    [Fact]
    public void A_write_that_was_sent_and_is_unanswered_at_the_time_out_is_unknown_and_can_not_happen_later()
    {
        _host.AcquireNow();
        object caller = _host.Submit(Put());
        ClientFrame put = _host.Take();
        _host.Answer(put, ErrorCode.NoQuorum);
        KeepAliveThrough(TimeSpan.FromSeconds(10));
        Assert.IsType<Completion.OutcomeUnknown>(_host.Completed[caller]);

        _host.Sent.Clear();
        _host.Submit(Put());
        ClientFrame next = _host.TakeNext(frame => frame.Command is not null);
        Assert.True(next.Command.AnsweredBelow > put.Command.RequestId);
    }

    [Fact]
    public void A_write_that_was_never_sent_is_a_plain_time_out()
    {
        object caller = _host.Submit(Put());
        _host.PassTicking(TimeSpan.FromSeconds(9.5));
        _host.Disconnect("refused");
        _host.PassTicking(TimeSpan.FromSeconds(0.5));
        Completion.TimedOut timedOut = Assert.IsType<Completion.TimedOut>(_host.Completed[caller]);
        Assert.Contains("refused", timedOut.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_that_was_sent_once_into_an_ended_session_goes_into_the_next()
    {
        _host.AcquireNow();
        object caller = _host.Submit(Put());
        _host.Answer(_host.Take(), ErrorCode.SessionNotFound);
        Assert.Single(_host.Lost);
        _host.Answer(_host.Take(Command.OperationOneofCase.CreateSession),
            new CommandResult { Outcome = Outcome.Done, SessionId = 8 });
        ClientFrame put = _host.Take(Command.OperationOneofCase.PutConfig);
        Assert.Equal(8, put.Command.SessionId);
        _host.Answer(put, Outcome.Done);
        Assert.IsType<Completion.Answered>(_host.Completed[caller]);
    }

    [Fact]
    public void A_write_that_was_sent_twice_into_an_ended_session_is_unknown()
    {
        _host.AcquireNow();
        object caller = _host.Submit(Put());
        _host.Take();
        _host.Disconnect();
        _host.Connect();
        _host.Answer(_host.TakeNext(frame => frame.Command is not null), ErrorCode.SessionNotFound);
        Assert.IsType<Completion.OutcomeUnknown>(_host.Completed[caller]);
    }

    [Fact]
    public void A_read_is_repeated_and_ends_as_a_time_out()
    {
        object caller = _host.Submit(new QueryOperation(new Query { GetConfig = new GetConfig { Key = "k" } }));
        _host.Connect();
        ClientFrame first = _host.Take();
        _host.Receive(new ServerFrame
        {
            CorrelationId = first.CorrelationId,
            Query = new QueryAnswer { Error = ErrorCode.NoQuorum },
        });
        _host.Pass(TimeSpan.FromMilliseconds(100));
        Assert.Equal(first, _host.Take());
        _host.Disconnect();
        _host.PassTicking(TimeSpan.FromSeconds(10));
        Assert.IsType<Completion.TimedOut>(_host.Completed[caller]);
        // With nothing open and no session there is no reason to connect again.
        Assert.Equal(TimeSpan.MaxValue, Idle());
    }

    [Fact]
    public void A_read_whose_caller_left_is_abandoned()
    {
        QueryOperation read = new(new Query { GetConfig = new GetConfig { Key = "k" } });
        object caller = _host.Submit(read);
        _host.Connect();
        ClientFrame frame = _host.Take();
        _host.Cancel(read);
        Assert.IsType<Completion.Cancelled>(_host.Completed[caller]);
        ClientFrame abandon = _host.Take();
        Assert.Equal(ClientFrame.BodyOneofCase.Abandon, abandon.BodyCase);
        Assert.Equal(frame.CorrelationId, abandon.CorrelationId);
    }

    [Fact]
    public void Endpoints_are_tried_in_turn_at_once_and_with_growing_pauses_after_the_first_round()
    {
        MachineHost host = new(1024, "http://one", "http://two");
        host.Submit(Put());
        host.Disconnect();
        Assert.Equal(["http://one", "http://two"], host.Connects);
        host.Disconnect();
        Assert.Equal(["http://one", "http://two", "http://one"], host.Connects);
        host.Disconnect();
        Assert.Equal(3, host.Connects.Count);
        TimeSpan pause = host.Machine.NextTick() - host.Now.Monotonic;
        Assert.InRange(pause, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20));
        host.Pass(pause);
        Assert.Equal(4, host.Connects.Count);
    }

    [Fact]
    public void A_leader_hint_is_followed_and_the_request_repeated_there()
    {
        _host.AcquireNow();
        _host.Submit(Put());
        ClientFrame put = _host.Take();
        int old = _host.Link;
        _host.Answer(put, new CommandResult { Error = ErrorCode.NotLeader }, hint: "http://leader:7400");
        Assert.Equal([old], _host.Disconnects);
        Assert.Equal("http://leader:7400", _host.Connects[^1]);
        _host.Connect();
        Assert.NotNull(_host.Take().KeepAlive);
        Assert.Equal(put, _host.Take());
    }

    [Theory]
    [InlineData("https://one", "http://leader:7400")]
    [InlineData("http://one", "ftp://leader")]
    [InlineData("http://one", "http://one/")]
    [InlineData("http://one", "no address at all")]
    public void A_hint_that_leads_nowhere_better_is_not_followed(string endpoint, string hint)
    {
        MachineHost host = new(1024, endpoint);
        host.Submit(Put());
        host.Connect();
        host.Answer(host.Take(), new CommandResult { Error = ErrorCode.NotLeader }, hint);
        Assert.Empty(host.Disconnects);
    }

    [Fact]
    public void A_silo_that_keeps_refusing_is_left_for_another()
    {
        MachineHost host = new(1024, "http://one", "http://two");
        host.Submit(Put());
        host.Connect();
        for (int i = 0; i < 4; i++)
        {
            host.Answer(host.Take(), ErrorCode.NotLeader);
            host.PassTicking(TimeSpan.FromMilliseconds(300));
        }
        Assert.Equal("http://two", host.Connects[^1]);
    }

    [Fact]
    public void A_link_from_which_nothing_comes_though_something_is_due_is_given_up()
    {
        _host.AcquireNow();
        _host.Submit(Put());
        _host.PassTicking(_host.Options.SilenceMax - TimeSpan.FromMilliseconds(1));
        Assert.Empty(_host.Disconnects);
        _host.PassTicking(TimeSpan.FromMilliseconds(1));
        Assert.Single(_host.Disconnects);
        Assert.Equal(2, _host.Connects.Count);
    }

    [Fact]
    public void A_silo_that_answers_others_but_leaves_a_release_unanswered_is_given_up()
    {
        var (holding, _) = _host.AcquireNow();
        _host.Submit(new ReleaseOperation(holding));
        ClientFrame release = _host.Take();
        for (int second = 0; second < 10; second++)
        {
            Assert.Empty(_host.Disconnects);
            KeepAliveThrough(TimeSpan.FromSeconds(1));
            _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 1 } });
        }
        Assert.Single(_host.Disconnects);
        _host.Sent.Clear();
        _host.Connect();
        Assert.Equal(release, _host.TakeNext(frame => frame.Command is not null));
    }

    [Fact]
    public void A_silo_that_never_says_welcome_is_given_up()
    {
        _host.Submit(Put());
        _host.Machine.Connected(_host.Link, _host.Now);
        _host.PassTicking(_host.Options.SilenceMax);
        Assert.Equal(2, _host.Connects.Count);
    }

    [Fact]
    public void A_wait_may_be_silent_as_long_as_keep_alives_are_answered()
    {
        _host.StartAcquire(Timeout.InfiniteTimeSpan);
        KeepAliveThrough(TimeSpan.FromMinutes(10));
        Assert.Empty(_host.Disconnects);
        Assert.Empty(_host.Lost);
    }

    [Fact]
    public void A_goodbye_sends_the_client_elsewhere_with_all_that_is_open()
    {
        MachineHost host = new(1024, "http://one", "http://two");
        var (_, _, frame) = host.StartAcquire(Timeout.InfiniteTimeSpan);
        host.Receive(new ServerFrame { Goodbye = new Goodbye { Reason = "stopping" } });
        Assert.Equal("http://two", host.Connects[^1]);
        host.Connect();
        host.Take();
        Assert.Equal(frame, host.Take());
    }

    [Fact]
    public void Another_protocol_version_is_named_in_the_time_out()
    {
        object caller = _host.Submit(Put());
        _host.PassTicking(TimeSpan.FromSeconds(9.5));
        _host.Machine.Connected(_host.Link, _host.Now);
        _host.Receive(new ServerFrame { Welcome = new Welcome { ProtocolVersion = 2 } });
        _host.PassTicking(TimeSpan.FromSeconds(0.5));
        Assert.Contains("version 2",
            Assert.IsType<Completion.TimedOut>(_host.Completed[caller]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_that_the_silo_could_not_understand_ends_its_request()
    {
        _host.AcquireNow();
        object caller = _host.Submit(Put());
        _host.Receive(new ServerFrame
        {
            CorrelationId = _host.Take().CorrelationId,
            Failure = new Failure { Code = ErrorCode.InvalidRequest, Message = "no" },
        });
        Assert.Equal(ErrorCode.InvalidRequest, Assert.IsType<Completion.Refused>(_host.Completed[caller]).Code);
    }

    [Fact]
    public void More_open_requests_than_allowed_are_refused_by_name_but_releases_never()
    {
        MachineHost host = new(2);
        var (holding, _) = host.AcquireNow();
        host.Submit(Put());
        host.Submit(Put());
        object third = host.Submit(Put());
        Assert.Equal(ErrorCode.TooManyOpenRequests, Assert.IsType<Completion.Refused>(host.Completed[third]).Code);
        host.Sent.Clear();
        host.Submit(new ReleaseOperation(holding));
        host.Take(Command.OperationOneofCase.ReleaseLock);
    }

    [Fact]
    public void A_shutdown_tells_holders_first_and_the_cluster_after_and_stops_when_it_has_answered()
    {
        _host.AcquireNow();
        object open = _host.Submit(new QueryOperation(new Query { GetConfig = new GetConfig { Key = "k" } }));
        _host.Take();
        _host.Order.Clear();
        _host.Shutdown();
        Assert.Equal(["SessionLost", "Send", "Completed"], _host.Order);
        Assert.IsType<Completion.Stopped>(_host.Completed[open]);
        Assert.False(_host.IsStopped);
        _host.Answer(_host.Take(Command.OperationOneofCase.EndSession), Outcome.Done);
        Assert.True(_host.IsStopped);
        Assert.Equal(TimeSpan.MaxValue, _host.Machine.NextTick());
    }

    [Fact]
    public void A_shutdown_does_not_wait_long_for_a_cluster_that_is_away()
    {
        _host.AcquireNow();
        _host.Disconnect();
        _host.Shutdown();
        Assert.False(_host.IsStopped);
        _host.PassTicking(TimeSpan.FromSeconds(2));
        Assert.True(_host.IsStopped);
    }

    private TimeSpan Idle()
    {
        _host.Pass(TimeSpan.FromSeconds(5));
        return _host.Machine.NextTick();
    }

    /// <summary>Lets time pass with a silo that answers keep-alives and nothing else.</summary>
    private void KeepAliveThrough(TimeSpan time)
    {
        TimeSpan end = _host.Now.Monotonic + time;
        while (_host.Now.Monotonic < end)
        {
            TimeSpan next = _host.Machine.NextTick();
            _host.Pass(Earlier(next, end) - _host.Now.Monotonic);
            while (_host.Sent.TryDequeue(out ClientFrame? frame))
            {
                if (frame.KeepAlive is not null)
                    _host.AnswerKeepAlive(frame);
                else if (frame.Command is { PutConfig: not null })
                    _host.Answer(frame, ErrorCode.NoQuorum);
            }
        }
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
