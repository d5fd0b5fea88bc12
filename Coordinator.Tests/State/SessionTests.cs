using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class SessionTests
{
    private static readonly byte[] Nonce = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private readonly Group _group = new();

    [Fact]
    public void A_session_id_is_the_index_of_the_entry_that_created_it()
    {
        _group.Apply(null);

        long session = _group.Create();

        Assert.Equal(_group.LastIndex, session);
        Assert.True(_group.State.HasSession(session));
        Assert.False(_group.State.HasSession(session - 1));
        Assert.True(_group.State.TryGetSessionTtl(session, out long ttl));
        Assert.Equal(10 * Group.Second, ttl);
        Assert.False(_group.State.TryGetSessionTtl(session + 1, out _));
    }

    [Fact]
    public void A_session_ends_at_its_deadline_in_log_time_and_not_before()
    {
        long session = _group.Create(ttl: 10 * Group.Second, stamp: 5 * Group.Second);
        Assert.Equal(15 * Group.Second, _group.State.NextDueUs);

        _group.Advance(15 * Group.Second - 1);
        Assert.True(_group.State.HasSession(session));

        _group.Advance(15 * Group.Second);
        Assert.False(_group.State.HasSession(session));
        Assert.Equal(new EndedSession(session, SessionEndReason.Expired), Assert.Single(_group.Effects.SessionsEnded));
        Assert.Equal(long.MaxValue, _group.State.NextDueUs);
    }

    [Fact]
    public void Log_time_never_goes_back()
    {
        _group.Advance(20);
        _group.Advance(10);

        Assert.Equal(20, _group.State.LogTimeUs);
    }

    [Fact]
    public void An_entry_without_a_stamp_leaves_log_time_and_makes_nothing_due()
    {
        long session = _group.Create(stamp: 7);

        for (int i = 0; i < 100; i++)
            _group.Apply(null);

        Assert.Equal(7, _group.State.LogTimeUs);
        Assert.True(_group.State.HasSession(session));
    }

    [Fact]
    public void A_keep_alive_extends_the_deadline_from_its_own_time()
    {
        long session = _group.Create(ttl: 10 * Group.Second);

        _group.KeepAlive(4 * Group.Second, session);

        Assert.Equal(14 * Group.Second, _group.State.NextDueUs);
        Assert.Equal(0, _group.State.LogTimeUs);
    }

    [Fact]
    public void An_older_keep_alive_does_not_shorten_a_deadline()
    {
        long session = _group.Create(ttl: 10 * Group.Second);
        _group.KeepAlive(4 * Group.Second, session);

        _group.KeepAlive(1 * Group.Second, session);

        Assert.Equal(14 * Group.Second, _group.State.NextDueUs);
    }

    [Fact]
    public void A_keep_alive_that_waited_through_a_pause_wins_over_the_expiry_of_that_pause()
    {
        long session = _group.Create(ttl: 1 * Group.Second);

        _group.KeepAlive(60 * Group.Second, session);
        _group.Advance(60 * Group.Second);

        Assert.True(_group.State.HasSession(session));
    }

    [Fact]
    public void A_keep_alive_ignores_sessions_that_have_ended()
    {
        long ended = _group.Create();
        _group.End(ended);
        long alive = _group.Create(ttl: 10 * Group.Second);

        ApplyResult result = _group.KeepAlive(1 * Group.Second, ended, alive, 999);

        Assert.Equal(ErrorCode.Ok, result.Result.Error);
        Assert.False(_group.State.HasSession(ended));
        Assert.Equal(11 * Group.Second, _group.State.NextDueUs);
    }

    [Fact]
    public void A_stamp_ends_a_session_before_the_command_beside_it_can_use_it()
    {
        long session = _group.Create(ttl: 1 * Group.Second);

        ApplyResult result = _group.Acquire(session, "a", stamp: 1 * Group.Second);

        Group.IsRefused(result, ErrorCode.SessionNotFound);
        Assert.Null(_group.Lock("a"));
    }

    [Fact]
    public void A_repeated_create_with_the_nonce_of_a_live_session_gives_that_session()
    {
        long session = _group.Create(nonce: Nonce);

        Assert.Equal(session, _group.Create(nonce: Nonce));
        Assert.Equal(1, _group.State.SessionCount);
    }

    [Fact]
    public void A_repeated_create_is_a_sign_of_life()
    {
        long session = _group.Create(ttl: 10 * Group.Second, nonce: Nonce);

        _group.Create(ttl: 10 * Group.Second, nonce: Nonce, stamp: 9 * Group.Second);
        _group.Advance(18 * Group.Second);

        Assert.True(_group.State.HasSession(session));
    }

    [Fact]
    public void The_nonce_of_an_ended_session_gives_a_new_one()
    {
        long first = _group.Create(nonce: Nonce);
        _group.End(first);

        long second = _group.Create(nonce: Nonce);

        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Sessions_without_a_nonce_are_never_the_same() => Assert.NotEqual(_group.Create(), _group.Create());

    [Fact]
    public void Ending_a_session_tells_why_and_a_repeat_finds_none()
    {
        long session = _group.Create();

        ApplyResult ended = _group.End(session, request: 1);
        Assert.Equal(Outcome.Done, ended.Result.Outcome);
        Assert.Equal(new EndedSession(session, SessionEndReason.Closed), Assert.Single(_group.Effects.SessionsEnded));

        Group.IsRefused(_group.End(session, request: 1), ErrorCode.SessionNotFound);
        Assert.Empty(_group.Effects.SessionsEnded);
    }

    [Fact]
    public void Everything_due_ends_in_the_order_of_time_then_id()
    {
        long late = _group.Create(ttl: 3 * Group.Second);
        long first = _group.Create(ttl: 1 * Group.Second);
        long second = _group.Create(ttl: 1 * Group.Second);

        _group.Advance(5 * Group.Second);

        Assert.Equal([first, second, late], _group.Effects.SessionsEnded.Select(ended => ended.SessionId));
    }

    [Fact]
    public void Keeping_sessions_alive_forever_costs_no_memory()
    {
        long[] sessions = [_group.Create(), _group.Create(), _group.Create()];
        int bytes = _group.Snapshot().Length;

        for (int i = 0; i < 10_000; i++)
            _group.KeepAlive(i * Group.Second, sessions);

        Assert.Equal(3, _group.State.DueCount);
        Assert.Equal(bytes, _group.Snapshot().Length);
    }

    [Theory]
    [InlineData(3, 1, 0)]
    [InlineData(1, 1, 0)]
    [InlineData(2, 0, 0)]
    [InlineData(2, 1, -1)]
    public void An_entry_that_cannot_follow_throws_and_changes_nothing(long index, long term, long stamp)
    {
        byte[] before = _group.Snapshot();

        Assert.Throws<InvalidOperationException>(
            () => _group.State.Apply(index, new Term(term), stamp, null, _group.Effects));

        Assert.Equal(before, _group.Snapshot());
    }
}
