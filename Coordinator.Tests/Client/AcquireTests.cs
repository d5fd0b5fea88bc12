using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>Waits, cancels and releases (rule 16), and the client's own line.</summary>
public sealed class AcquireTests
{
    private static readonly TimeSpan FiveSeconds = TimeSpan.FromSeconds(5);
    private readonly MachineHost _host = new();

    [Fact]
    public void The_wait_is_what_is_left_of_it_when_the_request_is_first_sent()
    {
        _host.Submit(new AcquireOperation("a", FiveSeconds));
        _host.Pass(TimeSpan.FromSeconds(2));
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        Assert.Equal(3_000_000, _host.Take().Command.AcquireLock.WaitUs);
    }

    [Fact]
    public void A_wait_that_ended_before_anything_could_be_sent_is_still_owed_a_try()
    {
        object caller = _host.Submit(new AcquireOperation("a", TimeSpan.FromSeconds(1)));
        _host.Pass(TimeSpan.FromSeconds(2));
        Assert.False(_host.Completed.ContainsKey(caller));
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        Assert.Equal(0, _host.Take().Command.AcquireLock.WaitUs);
    }

    [Theory]
    [InlineData(-1, -1)]
    [InlineData(0, 0)]
    public void An_unbounded_wait_and_a_try_are_sent_as_such(int waitMilliseconds, long waitMicroseconds)
    {
        var (_, _, frame) = _host.StartAcquire(TimeSpan.FromMilliseconds(waitMilliseconds));
        Assert.Equal(waitMicroseconds, frame.Command.AcquireLock.WaitUs);
    }

    [Fact]
    public void Not_acquired_is_told_on_the_silos_word()
    {
        var (_, caller, frame) = _host.StartAcquire(FiveSeconds);
        _host.Answer(frame, new CommandResult { Outcome = Outcome.NotAcquired, Error = ErrorCode.LockNotAcquired });
        Assert.IsType<Completion.NotAcquired>(_host.Completed[caller]);
    }

    [Fact]
    public void A_queued_answer_ends_nothing()
    {
        var (_, caller, frame) = _host.StartAcquire(FiveSeconds);
        _host.Answer(frame, Outcome.Queued);
        Assert.Empty(_host.Completed);
        _host.Answer(frame, Outcome.Granted, 42);
        Assert.IsType<Completion.Acquired>(_host.Completed[caller]);
    }

    [Fact]
    public void When_the_silo_is_silent_at_the_waits_end_not_acquired_is_told_only_after_cancelled()
    {
        var (caller, cancel) = TimeOut();
        Assert.False(cancel.Command.CancelWait.ReleaseIfGranted);
        Assert.Equal(1, cancel.Command.CancelWait.RequestId);
        Assert.Equal(2, cancel.Command.RequestId);
        Assert.False(_host.Completed.ContainsKey(caller));
        _host.Answer(cancel, Outcome.Cancelled);
        Assert.IsType<Completion.NotAcquired>(_host.Completed[caller]);
    }

    [Fact]
    public void A_grant_that_came_before_the_cancel_is_handed_out()
    {
        var (caller, cancel) = TimeOut();
        _host.Answer(cancel, Outcome.Granted, 42);
        Assert.Equal(42, Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding.Token);
    }

    [Fact]
    public void A_cancel_is_repeated_over_links_until_answered()
    {
        var (caller, cancel) = TimeOut();
        _host.Disconnect();
        _host.Connect();
        ClientFrame again = _host.TakeNext(frame => frame.Command is { CancelWait: not null });
        Assert.Equal(cancel, again);
        _host.Answer(again, ErrorCode.NoQuorum);
        _host.Pass(TimeSpan.FromMilliseconds(100));
        again = _host.TakeNext(frame => frame.Command is { CancelWait: not null });
        Assert.Equal(cancel, again);
        _host.Answer(again, Outcome.Cancelled);
        Assert.IsType<Completion.NotAcquired>(_host.Completed[caller]);
    }

    [Fact]
    public void A_caller_that_cancels_is_told_at_once_and_the_wait_is_withdrawn()
    {
        var (operation, caller, _) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Cancel(operation);
        Assert.IsType<Completion.Cancelled>(_host.Completed[caller]);
        ClientFrame cancel = _host.Take(Command.OperationOneofCase.CancelWait);
        Assert.True(cancel.Command.CancelWait.ReleaseIfGranted);
        _host.Answer(cancel, Outcome.Cancelled);
        AssertNothingIsOpen();
    }

    [Theory]
    [InlineData(Outcome.Granted)]
    [InlineData(Outcome.Cancelled)]
    public void A_grant_that_the_cancel_gave_back_needs_nothing_more(Outcome outcome)
    {
        var (operation, _, frame) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Cancel(operation);
        ClientFrame cancel = _host.Take();
        _host.Answer(frame, Outcome.Granted, 42);
        _host.Answer(cancel, outcome, 42);
        Assert.Empty(_host.Sent);
        AssertNothingIsOpen();
    }

    [Fact]
    public void A_grant_that_its_cancel_did_not_find_is_released()
    {
        var (operation, _, frame) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Cancel(operation);
        ClientFrame cancel = _host.Take();
        _host.Answer(frame, Outcome.Granted, 42);
        _host.Answer(cancel, ErrorCode.NotWaiting);
        ClientFrame release = _host.Take(Command.OperationOneofCase.ReleaseLock);
        Assert.Equal(42, release.Command.ReleaseLock.Token);
        _host.Answer(release, Outcome.Released);
        AssertNothingIsOpen();
    }

    [Fact]
    public void A_grant_found_by_a_cancel_after_the_caller_left_is_released()
    {
        AcquireOperation? operation = null;
        var (_, cancel) = TimeOut(started => operation = started);
        _host.Cancel(operation!);
        _host.Answer(cancel, Outcome.Granted, 42);
        Assert.Equal(42, _host.Take(Command.OperationOneofCase.ReleaseLock).Command.ReleaseLock.Token);
    }

    [Fact]
    public void A_cancel_that_finds_nothing_sends_the_acquire_ahead_of_the_next_cancel()
    {
        var (operation, _, acquire) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Answer(acquire, ErrorCode.NoQuorum);
        _host.Cancel(operation);
        ClientFrame cancel = _host.Take(Command.OperationOneofCase.CancelWait);
        // An earlier sending may still be on its way to the log. Sent again, it has an answer or can be cancelled.
        _host.Answer(cancel, ErrorCode.NotWaiting);
        Assert.Equal(acquire, _host.Take());
        _host.PassTicking(TimeSpan.FromMilliseconds(100));
        ClientFrame second = _host.Take(Command.OperationOneofCase.CancelWait);
        Assert.Equal(3, second.Command.RequestId);
        _host.Answer(second, Outcome.Cancelled);
        AssertNothingIsOpen();
    }

    [Fact]
    public void A_caller_that_cancels_before_anything_was_sent_leaves_no_trace()
    {
        AcquireOperation operation = new("a", FiveSeconds);
        object caller = _host.Submit(operation);
        _host.Cancel(operation);
        Assert.IsType<Completion.Cancelled>(_host.Completed[caller]);
        _host.Connect();
        Assert.Empty(_host.Sent);
        Assert.Equal(TimeSpan.MaxValue, _host.Machine.NextTick());
    }

    [Fact]
    public void A_cancel_after_the_grant_ends_neither_the_hold_nor_anything_else()
    {
        var (operation, caller, frame) = _host.StartAcquire(FiveSeconds);
        _host.Answer(frame, Outcome.Granted, 42);
        _host.Cancel(operation);
        Assert.IsType<Completion.Acquired>(_host.Completed[caller]);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void A_session_lost_while_waiting_costs_the_place_and_the_wait_goes_on_in_the_next()
    {
        var (_, caller, _) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7 } });
        _host.Answer(_host.Take(Command.OperationOneofCase.CreateSession),
            new CommandResult { Outcome = Outcome.Done, SessionId = 8 });
        ClientFrame again = _host.Take(Command.OperationOneofCase.AcquireLock);
        Assert.Equal((8, 1), (again.Command.SessionId, again.Command.RequestId));
        _host.Answer(again, Outcome.Granted, 50);
        Assert.IsType<Completion.Acquired>(_host.Completed[caller]);
    }

    [Fact]
    public void A_session_lost_after_the_waits_end_means_not_acquired()
    {
        var (caller, _) = TimeOut();
        _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7 } });
        Assert.IsType<Completion.NotAcquired>(_host.Completed[caller]);
        AssertNothingIsOpen();
    }

    [Fact]
    public void Even_an_unbounded_wait_ends_when_the_cluster_stays_away()
    {
        var (_, caller, _) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Disconnect();
        _host.PassTicking(MachineHost.Validity);
        Assert.Single(_host.Lost);
        Assert.Empty(_host.Completed);
        _host.PassTicking(TimeSpan.FromSeconds(10));
        Assert.IsType<Completion.TimedOut>(_host.Completed[caller]);
    }

    [Fact]
    public void A_wait_that_someone_else_cancelled_is_asked_for_anew()
    {
        var (_, caller, frame) = _host.StartAcquire(FiveSeconds);
        _host.Answer(frame, Outcome.Cancelled);
        _host.PassTicking(TimeSpan.FromMilliseconds(100));
        ClientFrame again = _host.Take(Command.OperationOneofCase.AcquireLock);
        Assert.Equal(2, again.Command.RequestId);
        _host.Answer(again, Outcome.Granted, 42);
        Assert.IsType<Completion.Acquired>(_host.Completed[caller]);
    }

    [Fact]
    public void A_release_is_repeated_until_answered_even_after_its_caller_was_let_go()
    {
        var (holding, _) = _host.AcquireNow();
        object caller = _host.Submit(new ReleaseOperation(holding));
        ClientFrame release = _host.Take();
        _host.Answer(release, ErrorCode.NoQuorum);
        _host.Disconnect();
        _host.PassTicking(TimeSpan.FromSeconds(9));
        Assert.Empty(_host.Lost);
        _host.Connect();
        Assert.Equal(release, _host.TakeNext(frame => frame.Command is not null));
        _host.Answer(release, Outcome.Released);
        Assert.IsType<Completion.Released>(_host.Completed[caller]);
    }

    [Theory]
    [InlineData(ErrorCode.LockNotHeld)]
    [InlineData(ErrorCode.LockNotFound)]
    [InlineData(ErrorCode.SessionNotFound)]
    public void A_release_of_what_is_not_held_has_done_its_work(ErrorCode error)
    {
        var (holding, _) = _host.AcquireNow();
        object caller = _host.Submit(new ReleaseOperation(holding));
        _host.Answer(_host.Take(), error);
        Assert.IsType<Completion.Released>(_host.Completed[caller]);
    }

    [Fact]
    public void A_release_refused_for_another_reason_is_asked_for_under_a_new_id()
    {
        var (holding, _) = _host.AcquireNow();
        _host.Submit(new ReleaseOperation(holding));
        ClientFrame first = _host.Take();
        _host.Answer(first, ErrorCode.Internal);
        _host.PassTicking(TimeSpan.FromMilliseconds(100));
        Assert.Equal(first.Command.RequestId + 1,
            _host.Take(Command.OperationOneofCase.ReleaseLock).Command.RequestId);
    }

    [Fact]
    public void A_second_release_of_the_same_holding_sends_nothing()
    {
        var (holding, _) = _host.AcquireNow();
        _host.Submit(new ReleaseOperation(holding));
        _host.Take();
        object second = _host.Submit(new ReleaseOperation(holding));
        Assert.IsType<Completion.Released>(_host.Completed[second]);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void Callers_of_one_client_stand_in_line_and_the_next_is_sent_right_after_the_release()
    {
        var (holding, _) = _host.AcquireNow();
        object second = _host.Submit(new AcquireOperation("orders/42", Timeout.InfiniteTimeSpan));
        object third = _host.Submit(new AcquireOperation("orders/42", Timeout.InfiniteTimeSpan));
        Assert.Empty(_host.Sent);
        _host.Submit(new ReleaseOperation(holding));
        _host.Take(Command.OperationOneofCase.ReleaseLock);
        _host.Answer(_host.Take(Command.OperationOneofCase.AcquireLock), Outcome.Granted, 43);
        Assert.IsType<Completion.Acquired>(_host.Completed[second]);
        Assert.False(_host.Completed.ContainsKey(third));
    }

    [Fact]
    public void An_acquire_that_overtook_the_release_before_it_is_asked_for_anew()
    {
        var (holding, _) = _host.AcquireNow();
        object next = _host.Submit(new AcquireOperation("orders/42", Timeout.InfiniteTimeSpan));
        _host.Submit(new ReleaseOperation(holding));
        _host.Take();
        _host.Answer(_host.Take(), ErrorCode.LockAlreadyHeld);
        _host.PassTicking(TimeSpan.FromMilliseconds(100));
        _host.Answer(_host.Take(Command.OperationOneofCase.AcquireLock), Outcome.Granted, 43);
        Assert.IsType<Completion.Acquired>(_host.Completed[next]);
    }

    [Fact]
    public void In_the_clients_own_line_a_try_is_refused_at_once_and_a_wait_at_its_end()
    {
        _host.AcquireNow();
        object tried = _host.Submit(new AcquireOperation("orders/42", TimeSpan.Zero));
        Assert.IsType<Completion.NotAcquired>(_host.Completed[tried]);
        object waited = _host.Submit(new AcquireOperation("orders/42", TimeSpan.FromMilliseconds(100)));
        _host.PassTicking(TimeSpan.FromMilliseconds(99));
        Assert.False(_host.Completed.ContainsKey(waited));
        _host.PassTicking(TimeSpan.FromMilliseconds(1));
        Assert.IsType<Completion.NotAcquired>(_host.Completed[waited]);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void The_name_stays_taken_until_a_withdrawn_acquire_is_settled()
    {
        var (operation, _, _) = _host.StartAcquire(Timeout.InfiniteTimeSpan);
        _host.Cancel(operation);
        ClientFrame cancel = _host.Take();
        _host.Submit(new AcquireOperation("orders/42", Timeout.InfiniteTimeSpan));
        Assert.Empty(_host.Sent);
        _host.Answer(cancel, Outcome.Cancelled);
        _host.Take(Command.OperationOneofCase.AcquireLock);
    }

    /// <summary>An acquire whose silo says nothing at the end of the wait, but answers keep-alives.</summary>
    private (object Caller, ClientFrame Cancel) TimeOut(Action<AcquireOperation>? started = null)
    {
        var (operation, caller, _) = _host.StartAcquire(FiveSeconds);
        started?.Invoke(operation);
        _host.PassTicking(TimeSpan.FromSeconds(4));
        while (_host.Sent.TryDequeue(out ClientFrame? frame))
            _host.AnswerKeepAlive(frame);
        _host.PassTicking(FiveSeconds + _host.Options.WaitGrace - TimeSpan.FromSeconds(4));
        return (caller, _host.TakeNext(frame => frame.Command is not null));
    }

    private void AssertNothingIsOpen()
    {
        _host.Sent.Clear();
        _host.Shutdown();
        bool hasSession = _host.Sent.TryDequeue(out ClientFrame? end);
        if (hasSession)
            _host.Answer(end!, Outcome.Done);
        Assert.True(_host.IsStopped);
        Assert.Empty(_host.Sent);
    }
}
