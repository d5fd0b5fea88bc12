using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>A holding with a maximum is lost by the client's clock before the cluster can give it to somebody else (rule 13).</summary>
public sealed class MaximumHoldTests
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(4);
    private static readonly AcquireRequest Limited = new() { Names = ["a"], MaxHold = Hold };
    private readonly MachineHost _host = new();

    [Fact]
    public void A_prompt_grant_counts_from_its_sending()
    {
        var (caller, frame) = Start();
        Assert.Equal(4_000_000, frame.Command.AcquireLock.MaxHoldUs);
        _host.Pass(TimeSpan.FromMilliseconds(300));
        _host.Answer(frame, Outcome.Granted, 42);
        Assert.IsType<Completion.Acquired>(_host.Completed[caller]);

        PassAlive(TimeSpan.FromMilliseconds(3639));
        Assert.Empty(_host.LostHoldings);
        PassAlive(TimeSpan.FromMilliseconds(1));
        Assert.Single(_host.LostHoldings);
        Assert.Empty(_host.Lost);
    }

    [Fact]
    public void A_lost_holding_is_released_and_the_next_of_the_client_is_served()
    {
        var (_, frame) = Start();
        _host.Answer(frame, Outcome.Granted, 42);
        _host.Submit(new AcquireOperation("a", Timeout.InfiniteTimeSpan));
        PassAlive(Hold);

        ClientFrame release = _host.TakeNext(sent => sent.Command?.ReleaseLock is not null);
        Assert.Equal(42, release.Command.ReleaseLock.Token);
        Assert.Equal("a", _host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Name);
        _host.Answer(release, ErrorCode.LockNotHeld);
    }

    [Fact]
    public void After_a_wait_what_is_left_is_read_behind_a_mark_in_the_log_and_counts_from_the_marks_sending()
    {
        object caller = GrantLate(out ClientFrame mark);
        Assert.Equal(1, mark.Command.CancelWait.RequestId);
        Assert.False(mark.Command.CancelWait.ReleaseIfGranted);
        PassAlive(TimeSpan.FromMilliseconds(500));
        _host.Answer(mark, Outcome.Granted, 42);
        Assert.False(_host.Completed.ContainsKey(caller));
        AnswerRemaining(TimeSpan.FromSeconds(3));
        Holding holding = Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding;

        // 3 s less 1 % and 20 ms, of which half a second has passed.
        PassAlive(TimeSpan.FromMilliseconds(2449));
        Assert.Empty(_host.LostHoldings);
        PassAlive(TimeSpan.FromMilliseconds(1));
        Assert.Equal([holding], _host.LostHoldings);
    }

    [Fact]
    public void What_is_over_before_it_could_be_handed_out_is_handed_out_lost()
    {
        object caller = GrantLate(out ClientFrame mark);
        _host.Answer(mark, ErrorCode.NotWaiting);

        Holding holding = Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding;
        Assert.True(holding.Lifetime!.IsOver(_host.Now));
    }

    [Fact]
    public void A_caller_that_leaves_while_the_rest_is_read_gets_nothing_and_the_lock_is_released()
    {
        AcquireOperation acquire = new(Limited, Timeout.InfiniteTimeSpan);
        object caller = _host.Submit(acquire);
        ClientFrame frame = Open();
        PassAlive(TimeSpan.FromSeconds(20));
        _host.Answer(frame, Outcome.Granted, 42);

        _host.Cancel(acquire);

        Assert.IsType<Completion.Cancelled>(_host.Completed[caller]);
        Assert.Equal(42, _host.TakeNext(sent => sent.Command?.ReleaseLock is not null).Command.ReleaseLock.Token);
    }

    [Fact]
    public void A_session_lost_while_the_rest_is_read_leaves_no_caller_waiting()
    {
        object caller = GrantLate(out ClientFrame mark);
        _host.Answer(mark, Outcome.Granted, 42);

        _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7, Reason = "expired" } });

        Holding holding = Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding;
        Assert.True(holding.Lifetime!.IsOver(_host.Now));
    }

    [Fact]
    public void Who_enters_once_more_has_what_is_left_of_the_first_entering()
    {
        var (_, frame) = Start(Limited with { IsShared = true });
        _host.Answer(frame, Outcome.Granted, 42);
        PassAlive(TimeSpan.FromSeconds(2));
        _host.Submit(new AcquireOperation(Limited with { IsShared = true }, TimeSpan.Zero));
        _host.Answer(_host.TakeNext(sent => sent.Command?.AcquireLock is not null), Outcome.Granted, 42);

        PassAlive(TimeSpan.FromSeconds(2));

        Assert.Equal(2, _host.LostHoldings.Count);
    }

    private (object Caller, ClientFrame Frame) Start(AcquireRequest? request = null)
    {
        object caller = _host.Submit(new AcquireOperation(request ?? Limited, Timeout.InfiniteTimeSpan));
        return (caller, Open());
    }

    private ClientFrame Open()
    {
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        return _host.Take(Command.OperationOneofCase.AcquireLock);
    }

    private object GrantLate(out ClientFrame mark)
    {
        var (caller, frame) = Start();
        PassAlive(TimeSpan.FromSeconds(20));
        _host.Answer(frame, Outcome.Granted, 42);
        Assert.False(_host.Completed.ContainsKey(caller));
        mark = _host.TakeNext(sent => sent.Command?.CancelWait is not null);
        return caller;
    }

    private void AnswerRemaining(TimeSpan remaining)
    {
        ClientFrame query = _host.TakeNext(sent => sent.Query is not null);
        LockHolder holder = new() { SessionId = 7, Token = 42, RemainingUs = (long)remaining.TotalMicroseconds };
        _host.Receive(new ServerFrame
        {
            CorrelationId = query.CorrelationId,
            Query = new QueryAnswer { Locks = { new LockInfo { Name = "a", Holders = { holder } } } },
        });
    }

    /// <summary>Time passes, and the session's keep-alives are answered.</summary>
    private void PassAlive(TimeSpan time)
    {
        TimeSpan end = _host.Now.Monotonic + time;
        while (_host.Now.Monotonic < end)
        {
            TimeSpan next = _host.Machine.NextTick() < end ? _host.Machine.NextTick() : end;
            _host.Pass(next > _host.Now.Monotonic ? next - _host.Now.Monotonic : TimeSpan.Zero);
            foreach (ClientFrame alive in _host.Sent.Where(frame => frame.KeepAlive is not null).ToArray())
                _host.AnswerKeepAlive(alive);
        }
    }
}
