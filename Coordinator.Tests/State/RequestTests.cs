using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class RequestTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;

    public RequestTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
    }

    [Fact]
    public void A_repeated_request_gets_its_result_again_and_is_not_executed_again()
    {
        ApplyResult first = _group.Put("k", "1", _a, request: 1);
        _group.Put("k", "2");

        ApplyResult again = _group.Put("k", "1", _a, request: 1);

        Assert.Equal(first.Result, again.Result);
        Assert.Equal((1L, 1L), (again.Result.Revision, again.Result.Version));
        Assert.Equal(2, _group.State.Revision);
    }

    [Fact]
    public void A_repeated_acquire_gets_the_same_token_even_after_its_release()
    {
        long token = _group.Acquire(_a, "x", request: 1).Result.Token;
        _group.Release(_a, "x", request: 2);

        Group.IsGranted(_group.Acquire(_a, "x", request: 1), token);
        Assert.Null(_group.Lock("x"));
    }

    [Fact]
    public void A_repeated_refusal_is_the_same_refusal_though_the_state_has_changed()
    {
        _group.Acquire(_b, "x");
        Group.IsRefused(_group.Acquire(_a, "x", request: 1), ErrorCode.LockNotAcquired);
        _group.Release(_b, "x");

        ApplyResult again = _group.Acquire(_a, "x", request: 1);

        Group.IsRefused(again, ErrorCode.LockNotAcquired);
        Assert.Equal(Outcome.NotAcquired, again.Result.Outcome);
    }

    [Fact]
    public void A_repeated_queued_acquire_keeps_its_place_and_names_the_first_entry()
    {
        _group.Acquire(_b, "x");
        _group.Acquire(_a, "x", Group.Unbounded, request: 1);
        long wait = _group.LastIndex;

        Group.IsQueued(_group.Acquire(_a, "x", Group.Unbounded, request: 1), wait);
        Assert.Single(_group.Lock("x")!.Waiters);

        _group.Release(_b, "x");
        _group.WaitEnded(wait, Outcome.Granted, _group.LastIndex);
        long token = _group.LastIndex;
        Group.IsGranted(_group.Acquire(_a, "x", Group.Unbounded, request: 1), token);
    }

    [Fact]
    public void A_repeated_acquire_whose_own_entry_ends_the_holder_is_answered_with_the_grant()
    {
        long holder = _group.Create(ttl: 1 * Group.Second);
        _group.Acquire(holder, "x");
        _group.Acquire(_a, "x", Group.Unbounded, request: 1);
        long wait = _group.LastIndex;

        ApplyResult again = _group.Acquire(_a, "x", Group.Unbounded, request: 1, stamp: 1 * Group.Second);

        Group.IsGranted(again, _group.LastIndex);
        _group.WaitEnded(wait, Outcome.Granted, _group.LastIndex);
    }

    [Fact]
    public void A_bounded_wait_that_ended_is_stored_as_not_acquired()
    {
        _group.Acquire(_b, "x");
        _group.Acquire(_a, "x", 1 * Group.Second, request: 1);
        _group.Advance(2 * Group.Second);
        _group.Release(_b, "x");

        Group.IsRefused(_group.Acquire(_a, "x", 1 * Group.Second, request: 1), ErrorCode.LockNotAcquired);
    }

    [Fact]
    public void A_request_id_below_answered_below_is_refused_and_never_executed()
    {
        _group.Put("k", "1", _a, request: 1);
        _group.Put("k", "2", _a, request: 2, answered: 2);

        Group.IsRefused(_group.Put("k", "1", _a, request: 1), ErrorCode.RequestIdStale);
        Assert.Equal(2, _group.State.Revision);
    }

    [Fact]
    public void Answered_below_never_goes_back()
    {
        _group.Put("k", "1", _a, request: 5, answered: 5);
        _group.Put("k", "2", _a, request: 6, answered: 1);

        Group.IsRefused(_group.Put("k", "3", _a, request: 4), ErrorCode.RequestIdStale);
    }

    [Fact]
    public void An_answered_below_above_the_request_itself_makes_that_request_stale()
    {
        Group.IsRefused(_group.Put("k", "1", _a, request: 1, answered: 2), ErrorCode.RequestIdStale);
        Assert.Equal(0, _group.State.Revision);
    }

    [Fact]
    public void Request_ids_may_arrive_out_of_order()
    {
        foreach (long request in (long[])[7, 3, 5, 9, 1, 8])
            _group.Put($"k{request}", "v", _a, request);

        foreach (long request in (long[])[1, 3, 5, 7, 8, 9])
            _group.Put($"k{request}", "v", _a, request);

        Assert.Equal(6, _group.State.Revision);
    }

    [Fact]
    public void A_request_id_used_again_for_another_operation_or_name_is_refused()
    {
        _group.Put("k", "1", _a, request: 1);

        Group.IsRefused(_group.Put("l", "1", _a, request: 1), ErrorCode.RequestMismatch);
        Group.IsRefused(_group.Delete("k", _a, request: 1), ErrorCode.RequestMismatch);
        Group.IsRefused(_group.Cancel(_a, target: 2, request: 1), ErrorCode.RequestMismatch);
        Group.IsRefused(_group.End(_a, request: 1), ErrorCode.RequestMismatch);
        Assert.True(_group.State.HasSession(_a));
    }

    [Fact]
    public void Request_ids_of_two_sessions_have_nothing_to_do_with_each_other()
    {
        _group.Put("k", "1", _a, request: 1);

        Assert.Equal(2, _group.Put("l", "2", _b, request: 1).Result.Revision);
    }

    [Fact]
    public void Without_a_request_id_every_entry_is_executed()
    {
        _group.Put("k", "1", _a);
        _group.Put("k", "1", _a);

        Assert.Equal(2, _group.State.Revision);
    }

    [Fact]
    public void A_request_in_an_ended_session_is_refused_and_never_executed()
    {
        _group.Put("k", "1", _a, request: 1);
        _group.End(_a);

        Group.IsRefused(_group.Put("k", "1", _a, request: 1), ErrorCode.SessionNotFound);
        Group.IsRefused(_group.Put("k", "1", _a), ErrorCode.SessionNotFound);
        Assert.Equal(1, _group.State.Revision);
    }

    [Fact]
    public void A_malformed_request_is_refused_and_leaves_no_trace()
    {
        byte[] before = _group.SnapshotContents();

        Group.IsRefused(_group.Acquire(_a, "x//y", request: 1), ErrorCode.InvalidName);
        Group.IsRefused(_group.Acquire(_a, "x", wait: -2, request: 1), ErrorCode.InvalidWait);
        Group.IsRefused(_group.Acquire(0, "x"), ErrorCode.InvalidRequest);
        Group.IsRefused(_group.Apply(new Command()), ErrorCode.InvalidRequest);
        Group.IsRefused(
            _group.Apply(new Command { CreateSession = new CreateSession { TtlUs = 1 } }), ErrorCode.InvalidTtl);

        Assert.Equal(before, _group.SnapshotContents());
    }

    [Fact]
    public void A_stored_result_is_found_without_applying_the_command_again()
    {
        Command acquire = Group.AcquireCommand(_a, "x", Group.Unbounded, request: 1);
        Assert.False(_group.State.TryGetStoredResult(acquire, out _));
        long token = _group.Apply(acquire).Result.Token;

        Assert.True(_group.State.TryGetStoredResult(acquire, out ApplyResult stored));
        Group.IsGranted(stored, token);

        Command waiting = Group.AcquireCommand(_b, "x", Group.Unbounded, request: 1);
        _group.Apply(waiting);
        Assert.True(_group.State.TryGetStoredResult(waiting, out stored));
        Group.IsQueued(stored, _group.LastIndex);
    }

    [Fact]
    public void No_stored_result_is_found_for_another_operation_an_ended_session_or_no_request_id()
    {
        _group.Acquire(_a, "x", request: 1);

        Assert.False(_group.State.TryGetStoredResult(Group.AcquireCommand(_a, "y", request: 1), out _));
        Assert.False(_group.State.TryGetStoredResult(Group.AcquireCommand(_b, "x", request: 1), out _));
        Assert.False(_group.State.TryGetStoredResult(Group.AcquireCommand(_a, "x", request: 0), out _));
        Assert.False(_group.State.TryGetStoredResult(Group.AcquireCommand(_a, "x", request: 1, answered: 2), out _));
        Assert.False(_group.State.TryGetStoredResult(Group.AcquireCommand(999, "x", request: 1), out _));
    }
}
