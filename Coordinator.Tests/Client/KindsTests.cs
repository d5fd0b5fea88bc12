using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>What the kinds of holdings have of their own: readers, upgrades, permits, several at once, re-entry.</summary>
public sealed class KindsTests
{
    private static readonly TimeSpan FiveSeconds = TimeSpan.FromSeconds(5);
    private readonly MachineHost _host = new();

    [Fact]
    public void Readers_of_one_client_enter_the_sessions_holding_once_more_each()
    {
        Holding first = GrantNow(Read("a"), 42);
        AcquireOperation read = new(Read("a"), TimeSpan.Zero);
        object caller = _host.Submit(read);
        ClientFrame frame = _host.Take(Command.OperationOneofCase.AcquireLock);
        Assert.True(frame.Command.AcquireLock is { Shared: true, Reentrant: true });
        _host.Answer(frame, Outcome.Granted, 42);
        Holding second = Granted(caller);

        _host.Submit(new ReleaseOperation(first));
        _host.Submit(new ReleaseOperation(second));

        Assert.Equal(42, _host.Take(Command.OperationOneofCase.ReleaseLock).Command.ReleaseLock.Token);
        Assert.Equal(42, _host.Take(Command.OperationOneofCase.ReleaseLock).Command.ReleaseLock.Token);
    }

    [Fact]
    public void A_writer_of_the_client_waits_for_all_its_readers_and_later_readers_for_the_writer()
    {
        Holding first = GrantNow(Read("a"), 42);
        Holding second = GrantJoin(42);
        _host.Submit(new AcquireOperation("a", FiveSeconds));
        _host.Submit(new AcquireOperation(Read("a"), FiveSeconds));
        Assert.Empty(_host.Sent);

        Release(first);
        Assert.Empty(_host.Sent);
        Release(second);

        Assert.False(_host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Shared);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void A_writer_that_gives_up_lets_the_readers_behind_it_in()
    {
        GrantNow(Read("a"), 42);
        AcquireOperation write = new("a", FiveSeconds);
        object writer = _host.Submit(write);
        _host.Submit(new AcquireOperation(Read("a"), FiveSeconds));

        _host.Cancel(write);

        Assert.IsType<Completion.Cancelled>(_host.Completed[writer]);
        Assert.True(_host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Shared);
    }

    [Fact]
    public void An_upgrade_waits_for_the_clients_other_readers_and_gives_a_new_token()
    {
        Holding first = GrantNow(Read("a"), 42);
        Holding second = GrantJoin(42);
        object caller = _host.Submit(new AcquireOperation(first, FiveSeconds));
        Assert.Empty(_host.Sent);

        Release(second);

        ClientFrame upgrade = _host.Take(Command.OperationOneofCase.AcquireLock);
        Assert.True(upgrade.Command.AcquireLock is { Upgrade: true, Shared: false, Reentrant: false });
        _host.Answer(upgrade, Outcome.Granted, 50);
        Assert.Same(first, Granted(caller));
        Assert.Equal(50, first.Token);
        Release(first, token: 50);
    }

    [Fact]
    public void A_second_upgrade_in_the_client_is_refused_as_it_would_be_by_the_cluster()
    {
        Holding first = GrantNow(Read("a"), 42);
        Holding second = GrantJoin(42);
        _host.Submit(new AcquireOperation(first, FiveSeconds));

        object caller = _host.Submit(new AcquireOperation(second, FiveSeconds));

        Assert.Equal(ErrorCode.UpgradeInProgress, Assert.IsType<Completion.Refused>(_host.Completed[caller]).Code);
    }

    [Theory]
    [InlineData(ErrorCode.UpgradeInProgress)]
    [InlineData(ErrorCode.LockNotAcquired)]
    public void An_upgrade_that_comes_to_nothing_leaves_the_shared_holding(ErrorCode error)
    {
        Holding read = GrantNow(Read("a"), 42);
        _host.Submit(new AcquireOperation(read, FiveSeconds));
        _host.Answer(_host.Take(), error);

        Assert.True(read.IsShared);
        Release(read, token: 42);
    }

    [Fact]
    public void An_upgrade_cancelled_by_its_caller_is_withdrawn_and_the_shared_holding_has_its_token()
    {
        Holding read = GrantNow(Read("a"), 42);
        AcquireOperation upgrade = new(read, FiveSeconds);
        _host.Submit(upgrade);
        ClientFrame sent = _host.Take();
        _host.Cancel(upgrade);
        ClientFrame cancel = _host.Take(Command.OperationOneofCase.CancelWait);
        _host.Answer(sent, Outcome.Granted, 50);
        _host.Answer(cancel, Outcome.Cancelled, 50);

        Assert.Empty(_host.Sent);
        Assert.True(read.IsShared);
        Release(read, token: 50);
    }

    [Fact]
    public void An_upgrade_ends_with_its_session_and_is_not_sent_in_the_next()
    {
        Holding read = GrantNow(Read("a"), 42);
        object caller = _host.Submit(new AcquireOperation(read, Timeout.InfiniteTimeSpan));
        _host.Take();

        _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7, Reason = "expired" } });

        Assert.Equal(ErrorCode.SessionNotFound, Assert.IsType<Completion.Refused>(_host.Completed[caller]).Code);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void A_holding_released_while_its_upgrade_waits_among_the_clients_own_refuses_the_upgrade()
    {
        Holding first = GrantNow(Read("a"), 42);
        GrantJoin(42);
        object caller = _host.Submit(new AcquireOperation(first, FiveSeconds));

        Release(first);

        Assert.Equal(ErrorCode.LockNotHeld, Assert.IsType<Completion.Refused>(_host.Completed[caller]).Code);
    }

    [Fact]
    public void After_a_downgrade_the_clients_readers_enter()
    {
        var (write, _) = _host.AcquireNow("a", 42);
        _host.Submit(new AcquireOperation(Read("a"), FiveSeconds));
        Assert.Empty(_host.Sent);
        _host.Submit(new HoldingOperation(write, new Command { DowngradeLock = new DowngradeLock { Name = "a" } }));
        _host.Answer(_host.Take(Command.OperationOneofCase.DowngradeLock), Outcome.Done);

        Assert.True(_host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Shared);
    }

    [Fact]
    public void Only_who_asks_for_it_enters_an_exclusive_lock_once_more()
    {
        _host.AcquireNow("a", 42);
        object other = _host.Submit(new AcquireOperation("a", TimeSpan.Zero));
        Assert.IsType<Completion.NotAcquired>(_host.Completed[other]);
        AcquireRequest again = new() { Names = ["a"], IsReentrant = true };

        object caller = _host.Submit(new AcquireOperation(again, TimeSpan.Zero));

        ClientFrame frame = _host.Take(Command.OperationOneofCase.AcquireLock);
        Assert.True(frame.Command.AcquireLock.Reentrant);
        _host.Answer(frame, Outcome.Granted, 42);
        Assert.Equal(42, Granted(caller).Token);
    }

    [Fact]
    public void Permits_are_asked_for_side_by_side_and_released_by_their_number()
    {
        AcquireRequest two = new() { Kind = HoldingKind.Semaphore, Names = ["s"], Permits = 2, Limit = 5 };
        Holding first = GrantNow(two, 42);
        _host.Submit(new AcquireOperation(two with { Permits = 1 }, FiveSeconds));
        _host.Submit(new AcquireOperation(two with { Permits = 3 }, FiveSeconds));

        Assert.Equal(1, _host.Take().Command.AcquireLock.Permits);
        Assert.Equal(3, _host.Take().Command.AcquireLock.Permits);
        _host.Submit(new ReleaseOperation(first));
        ReleaseLock release = _host.Take().Command.ReleaseLock;
        Assert.Equal((HoldingKind.Semaphore, 2, 42L), (release.Kind, release.Permits, release.Token));
    }

    [Fact]
    public void Several_locks_wait_in_the_line_of_each_and_are_released_one_by_one()
    {
        var (held, _) = _host.AcquireNow("b", 42);
        object caller = _host.Submit(new AcquireOperation(new AcquireRequest { Names = ["a", "b"] }, FiveSeconds));
        object behind = _host.Submit(new AcquireOperation("a", FiveSeconds));
        Assert.Empty(_host.Sent);

        Release(held);
        ClientFrame both = _host.Take(Command.OperationOneofCase.AcquireLock);
        Assert.Equal(("a", "b"), (both.Command.AcquireLock.Name, Assert.Single(both.Command.AcquireLock.Also).Name));
        Assert.Empty(_host.Sent);
        _host.Answer(both, new CommandResult { Outcome = Outcome.Granted, Token = 50, Floor = 50, AlsoFloors = { 50 } });
        Holding holding = Granted(caller);
        object release = _host.Submit(new ReleaseOperation(holding));
        ClientFrame first = _host.Take(Command.OperationOneofCase.ReleaseLock);
        ClientFrame second = _host.Take(Command.OperationOneofCase.ReleaseLock);
        Assert.Equal(["a", "b"], new[] { first.Command.ReleaseLock.Name, second.Command.ReleaseLock.Name });
        _host.Answer(first, Outcome.Released);
        Assert.False(_host.Completed.ContainsKey(release));
        _host.Answer(second, Outcome.Released);
        Assert.IsType<Completion.Released>(_host.Completed[release]);
        Assert.Equal("a", _host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Name);
        Assert.False(_host.Completed.ContainsKey(behind));
    }

    [Fact]
    public void Several_locks_of_which_one_is_taken_by_this_client_are_not_acquired_by_a_try()
    {
        _host.AcquireNow("b", 42);
        object caller = _host.Submit(new AcquireOperation(new AcquireRequest { Names = ["a", "b"] }, TimeSpan.Zero));
        Assert.IsType<Completion.NotAcquired>(_host.Completed[caller]);

        _host.Submit(new AcquireOperation("a", TimeSpan.Zero));
        Assert.Equal("a", _host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Name);
    }

    [Fact]
    public void A_hand_over_that_is_given_up_ends_the_leadership()
    {
        Holding leads = GrantNow(new AcquireRequest { Kind = HoldingKind.Election, Names = ["e"], Value = "me" }, 42);
        HoldingOperation handOver = new(leads, new Command { HandOver = new HandOver { Name = "e", ToSessionId = 8 } });
        _host.Submit(handOver);
        _host.Take(Command.OperationOneofCase.HandOver);

        _host.Cancel(handOver);

        Assert.Equal([leads], _host.LostHoldings);
        Assert.Equal(HoldingKind.Election, _host.TakeNext(frame => frame.Command?.ReleaseLock is not null).Command.ReleaseLock.Kind);
    }

    [Fact]
    public void A_leader_that_the_cluster_does_not_know_has_lost()
    {
        Holding leads = GrantNow(new AcquireRequest { Kind = HoldingKind.Election, Names = ["e"], Value = "me" }, 42);
        _host.Submit(new HoldingOperation(leads, new Command { Proclaim = new Proclaim { Name = "e", Value = "again" } }));
        _host.Answer(_host.Take(Command.OperationOneofCase.Proclaim), ErrorCode.LockNotHeld);

        Assert.Equal([leads], _host.LostHoldings);
        Assert.Empty(_host.Sent);
    }

    private static AcquireRequest Read(string name) => new() { Names = [name], IsShared = true };

    private Holding GrantNow(AcquireRequest request, long token)
    {
        object caller = _host.Submit(new AcquireOperation(request, FiveSeconds));
        if (_host.Opened.Count == 0)
        {
            _host.Connect();
            _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        }
        _host.Answer(_host.Take(Command.OperationOneofCase.AcquireLock), Outcome.Granted, token);
        return Granted(caller);
    }

    private Holding GrantJoin(long token) => GrantNow(Read("a"), token);

    private Holding Granted(object caller) => Assert.IsType<Completion.Acquired>(_host.Completed[caller]).Holding;

    private void Release(Holding holding, long token = 42)
    {
        _host.Submit(new ReleaseOperation(holding));
        ClientFrame frame = _host.Take(Command.OperationOneofCase.ReleaseLock);
        Assert.Equal(token, frame.Command.ReleaseLock.Token);
        _host.Answer(frame, Outcome.Released);
    }
}
