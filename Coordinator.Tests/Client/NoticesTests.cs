using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>Holdings that end against their holders' will, by what the silo says that the session holds.</summary>
public sealed class NoticesTests
{
    private static readonly TimeSpan FiveSeconds = TimeSpan.FromSeconds(5);
    private readonly MachineHost _host = new();

    [Fact]
    public void The_session_is_observed_from_its_first_grant_on_and_anew_on_each_connection()
    {
        var (_, _, frame) = _host.StartAcquire(FiveSeconds, "a");
        Assert.Empty(_host.Observers);
        _host.Answer(frame, Outcome.Granted, 42);
        Assert.Equal((7, 0), Observed(Assert.Single(_host.Observers)));
        _host.AcquireNow("b", 43);
        Assert.Single(_host.Observers);

        _host.Disconnect();
        _host.Connect();

        Assert.Equal(2, _host.Observers.Count);
        Assert.Equal((7, 0), Observed(_host.Observers[1]));
    }

    [Fact]
    public void What_is_not_in_the_list_any_more_is_lost_and_the_rest_is_not()
    {
        var (gone, _) = _host.AcquireNow("a", 42);
        _host.AcquireNow("b", 43);

        Tell(index: 50, new SessionHolding { Name = "b", Token = 43 });

        Assert.Equal([gone], _host.LostHoldings);
        Assert.Empty(_host.Sent);
        _host.Submit(new AcquireOperation("a", TimeSpan.Zero));
        Assert.Equal("a", _host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Name);
    }

    [Fact]
    public void A_list_from_before_a_grant_says_nothing_of_it()
    {
        _host.AcquireNow("a", 42);
        Tell(index: 41);
        Assert.Empty(_host.LostHoldings);
        Tell(index: 42);
        Assert.Single(_host.LostHoldings);
    }

    [Fact]
    public void A_request_to_release_is_told_once_and_changes_nothing()
    {
        var (holding, _) = _host.AcquireNow("a", 42);
        SessionHolding asked = new() { Name = "a", Token = 42, ReleaseRequested = true, ReleaseReason = "please" };
        Tell(50, asked);
        Tell(51, asked);

        Assert.Equal([(holding, "please")], _host.Asked);
        Assert.Empty(_host.LostHoldings);
    }

    [Fact]
    public void A_reader_that_enters_once_more_is_told_of_the_request_that_came_before()
    {
        Holding first = ReadNow();
        Tell(50, new SessionHolding { Name = "a", Token = 42, ReleaseRequested = true, ReleaseReason = "please" });

        object caller = _host.Submit(new AcquireOperation(first.Request, TimeSpan.Zero));
        _host.Answer(_host.Take(), Outcome.Granted, 42);

        Holding second = Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding;
        Assert.Equal([(first, "please"), (second, "please")], _host.Asked);
        Assert.Empty(_host.LostHoldings);
    }

    [Fact]
    public void A_grant_that_a_list_without_it_has_overtaken_is_lost()
    {
        _host.AcquireNow("a", 42);
        object caller = _host.Submit(new AcquireOperation("b", FiveSeconds));
        ClientFrame late = _host.Take();
        Tell(50, new SessionHolding { Name = "a", Token = 42 });
        Assert.Empty(_host.LostHoldings);

        _host.Answer(late, Outcome.Granted, 45);

        Assert.Equal([Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding], _host.LostHoldings);
    }

    [Theory]
    [InlineData(42)]
    [InlineData(50)]
    public void While_an_upgrade_is_under_way_either_token_will_do(long token)
    {
        Holding read = ReadNow();
        _host.Submit(new AcquireOperation(read, FiveSeconds));

        Tell(60, new SessionHolding { Name = "a", Token = token });

        Assert.Empty(_host.LostHoldings);
    }

    [Fact]
    public void An_upgrade_that_finds_nothing_to_upgrade_tells_of_the_loss()
    {
        Holding read = ReadNow();
        _host.Submit(new AcquireOperation(read, FiveSeconds));
        _host.Answer(_host.Take(), ErrorCode.LockNotHeld);
        Assert.Equal([read], _host.LostHoldings);
    }

    [Fact]
    public void An_upgrade_that_was_taken_back_left_its_token()
    {
        Holding read = ReadNow();
        AcquireOperation upgrade = new(read, FiveSeconds);
        _host.Submit(upgrade);
        _host.Take();
        _host.Cancel(upgrade);
        _host.Answer(_host.Take(Command.OperationOneofCase.CancelWait), Outcome.Cancelled, 50);

        Tell(60, new SessionHolding { Name = "a", Token = 50 });

        Assert.Empty(_host.LostHoldings);
    }

    [Fact]
    public void A_reader_that_is_granted_anew_tells_of_the_loss_of_the_one_before()
    {
        Holding first = ReadNow();
        object caller = _host.Submit(new AcquireOperation(first.Request, TimeSpan.Zero));
        _host.Answer(_host.Take(), Outcome.Granted, 60);

        Assert.Equal([first], _host.LostHoldings);
        Assert.Equal(60, Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding.Token);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void Of_several_locks_the_loss_of_one_gives_back_the_others()
    {
        Holding both = AcquireTwoNow();

        Tell(50, new SessionHolding { Name = "b", Token = 42 });

        Assert.Equal([both], _host.LostHoldings);
        Assert.Equal("a", TakeRelease().Command.ReleaseLock.Name);
        Assert.Equal("b", TakeRelease().Command.ReleaseLock.Name);
    }

    [Fact]
    public void A_release_of_several_locks_that_were_lost_ends_when_all_of_them_are_given_back()
    {
        Holding both = AcquireTwoNow();
        Tell(50, new SessionHolding { Name = "b", Token = 42 });
        ClientFrame a = TakeRelease(), b = TakeRelease();

        object caller = _host.Submit(new ReleaseOperation(both));
        Assert.Empty(_host.Sent);
        _host.Answer(a, ErrorCode.LockNotHeld);
        Assert.False(_host.Completed.ContainsKey(caller));
        _host.Answer(b, Outcome.Released);

        Assert.IsType<Completion.Released>(_host.Completed[caller]);
        object again = _host.Submit(new ReleaseOperation(both));
        Assert.IsType<Completion.Released>(_host.Completed[again]);
    }

    [Fact]
    public void A_release_of_several_locks_of_which_one_is_not_confirmed_ends_with_the_request_time_out()
    {
        Holding both = AcquireTwoNow();
        object caller = _host.Submit(new ReleaseOperation(both));
        _host.Answer(TakeRelease(), Outcome.Released);
        Assert.False(_host.Completed.ContainsKey(caller));

        _host.PassTicking(_host.Options.RequestTimeout);

        Assert.IsType<Completion.Released>(_host.Completed[caller]);
    }

    [Fact]
    public void Permits_with_one_token_are_told_apart_by_their_requests()
    {
        AcquireRequest one = new() { Kind = HoldingKind.Semaphore, Names = ["s"], Permits = 1, Limit = 5 };
        object first = _host.Submit(new AcquireOperation(one, FiveSeconds));
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        object second = _host.Submit(new AcquireOperation(one, FiveSeconds));
        _host.Answer(_host.Take(), Outcome.Granted, 42);
        _host.Answer(_host.Take(), Outcome.Granted, 42);

        Tell(50, new SessionHolding { Kind = HoldingKind.Semaphore, Name = "s", Token = 42, RequestId = 2 });

        Assert.Equal([Assert.IsType<Completion.Acquired>(_host.Completed[first]).Holding], _host.LostHoldings);
        Assert.True(_host.Completed.ContainsKey(second));
    }

    private Holding AcquireTwoNow()
    {
        object caller = _host.Submit(new AcquireOperation(new AcquireRequest { Names = ["a", "b"] }, FiveSeconds));
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        _host.Answer(_host.Take(), Outcome.Granted, 42);
        return Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding;
    }

    private ClientFrame TakeRelease() => _host.Take(Command.OperationOneofCase.ReleaseLock);

    private Holding ReadNow()
    {
        object caller = _host.Submit(new AcquireOperation(new AcquireRequest { Names = ["a"], IsShared = true }, FiveSeconds));
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        _host.Answer(_host.Take(), Outcome.Granted, 42);
        return Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding;
    }

    private void Tell(long index, params SessionHolding[] holdings) => _host.Receive(new ServerFrame
    {
        CorrelationId = _host.Observers[^1].CorrelationId,
        WatchPage = new WatchPage
        {
            Position = new Position { Index = index },
            Session = new SessionNotices { SessionId = 7, Notice = index, Holdings = { holdings } },
        },
    });

    private static (long, long) Observed(ClientFrame frame) =>
        (frame.Watch.Session.SessionId, frame.Watch.Session.SeenNotice);
}
