using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

/// <summary>What a restored group keeps, what it ends, and when it grants again (rule 19).</summary>
public sealed class RestoredStateTests
{
    private const long Start = 1_000_000;
    private const long HoldBack = 60 * Group.Second;

    [Fact]
    public void It_keeps_configuration_and_ends_everything_else()
    {
        Group before = Lively(out long session);
        Group after = Restore(before);

        Assert.Equal("blue", ValueOf(after, "colour"));
        Assert.Null(ValueOf(after, "bound"));
        StateContents contents = StateContents.Of(after.State);
        Assert.Equal((1, 0, 0, 0, 0), (contents.Keys, contents.Sessions, contents.Holdings, contents.Leases, contents.Waits));
        Assert.Equal((Start, Start, Start), (after.State.AppliedIndex, after.State.Revision, contents.CompactedRevision));
        Assert.Equal(before.State.LogTimeUs, after.State.LogTimeUs);
        Group.IsRefused(after.Acquire(session, "lock"), ErrorCode.SessionNotFound);
        // What was forced stays on record.
        Assert.Single(after.State.Query(new Query { ListForcedReleases = new ListForcedReleases() }).ForcedReleases);
        // And the group that was saved is what it was.
        Assert.Equal(session, before.HolderOf("lock"));
    }

    [Fact]
    public void All_before_is_compacted_and_the_next_revision_is_above_it()
    {
        Group before = Lively(out _);
        Group after = Restore(before);
        long seen = before.State.Revision;

        Assert.Equal(ErrorCode.Compacted, after.State.Query(new Query { GetConfig = new GetConfig { Key = "colour", Revision = seen } }).Error);
        // So does whoever watches from where it had come to.
        Assert.Equal(ErrorCode.Compacted, after.State.ReadEvents("colour", isPrefix: false, seen + 1, bytesMax: 1000).Error);
        Assert.Equal(Start + 1, after.Put("colour", "red").Result.Revision);
    }

    [Fact]
    public void Nothing_of_any_kind_is_granted_while_grants_are_held_back_and_a_try_is_told_why()
    {
        Group group = Restore(Lively(out _));
        long session = group.Create(ttl: 600 * Group.Second);

        Group.IsRefused(group.Acquire(session, "lock"), ErrorCode.GrantsHeldBack);
        Group.IsRefused(group.Acquire(session, "never-held"), ErrorCode.GrantsHeldBack);
        Group.IsRefused(group.Acquire(session, Group.Shared("lock")), ErrorCode.GrantsHeldBack);
        Group.IsRefused(group.Acquire(session, Group.Permits("pool", 1, 2)), ErrorCode.GrantsHeldBack);
        Group.IsRefused(group.Apply(Lease("lease")), ErrorCode.GrantsHeldBack);
        Assert.Equal(0, group.HolderOf("lock"));
    }

    [Fact]
    public void Who_waits_is_granted_in_order_when_it_ends_with_tokens_above_all_before()
    {
        Group before = Lively(out _);
        long highest = before.LastIndex;
        Group group = Restore(before);
        long ends = group.State.LogTimeUs + HoldBack;
        long first = group.Create(ttl: 600 * Group.Second);
        long second = group.Create(ttl: 600 * Group.Second);
        Group.IsQueued(group.Acquire(first, "lock", Group.Unbounded), group.LastIndex);
        Group.IsQueued(group.Acquire(second, "lock", Group.Unbounded), group.LastIndex);
        Assert.Equal(ends, group.State.NextDueUs);

        group.Advance(ends - 1);
        Assert.Equal(0, group.HolderOf("lock"));
        group.Advance(ends);

        Assert.Equal(first, group.HolderOf("lock"));
        long token = Assert.Single(group.Effects.WaitsEnded).Result.Token;
        Assert.True(token > highest);
        Assert.Equal(ErrorCode.Ok, group.Apply(Lease("lease")).Result.Error);
        group.End(first);
        Assert.Equal(second, group.HolderOf("lock"));
    }

    [Fact]
    public void A_wait_that_ends_before_is_told_why_it_got_nothing()
    {
        Group group = Restore(Lively(out _));
        long session = group.Create(ttl: 600 * Group.Second);
        group.Acquire(session, "lock", wait: Group.Second, stamp: group.State.LogTimeUs + 1);
        long wait = group.LastIndex;

        group.Advance(group.State.LogTimeUs + Group.Second);

        group.WaitEnded(wait, Outcome.None, error: ErrorCode.GrantsHeldBack);
    }

    [Fact]
    public void A_replica_that_begins_with_a_snapshot_of_meanwhile_holds_back_as_long()
    {
        Group group = Restore(Lively(out _));
        long session = group.Create(ttl: 600 * Group.Second);
        group.Acquire(session, "lock", Group.Unbounded);
        Group copy = group.Copy();
        Assert.Equal(group.Snapshot(), copy.Snapshot());

        long begun = group.State.LogTimeUs;
        for (int quarter = 0; quarter <= 4; quarter++)
        {
            long stamp = begun + (quarter * HoldBack / 4);
            Assert.Equal(group.Advance(stamp).Result, copy.Advance(stamp).Result);
            Assert.Equal(group.HolderOf("lock"), copy.HolderOf("lock"));
            Assert.Equal(group.State.ContentsHash(), copy.State.ContentsHash());
        }
        Assert.Equal(session, copy.HolderOf("lock"));
    }

    [Fact]
    public void A_snapshot_with_a_holder_while_grants_are_held_back_is_refused()
    {
        Group group = Lively(out _);
        group.State.Holdings.HoldBack(group.State.LogTimeUs + HoldBack);
        var refused = Assert.Throws<InvalidDataException>(() => group.Copy());
        Assert.Contains("granted while grants are held back", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_group_of_an_older_level_writes_snapshots_that_older_programs_read()
    {
        int Length(int level) => new Group(CoordinationState.Create(
            StateSettings.Default, Group.Membership(), 1, new Term(1), featureLevel: level)).Snapshot().Length;

        Assert.Equal(Length(FeatureLevels.First), Length(FeatureLevels.StateHashInLog));
        Assert.Equal(Length(FeatureLevels.StateHashInLog) + sizeof(long), Length(FeatureLevels.GrantsHeldBack));
        // A restored one is of the level that knows it, whatever the one before was (rule 25).
        var old = new Group(CoordinationState.Create(
            StateSettings.Default, Group.Membership(), 1, new Term(1), featureLevel: FeatureLevels.First));
        Assert.Equal(FeatureLevels.GrantsHeldBack, Restore(old).State.FeatureLevel);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void It_begins_above_all_before_and_with_room_above(long start)
    {
        Group before = Lively(out _);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => RestoredState.Of(before.State, Group.Membership(), start == 0 ? before.LastIndex : start, new Term(1), 0));
    }

    [Fact]
    public void The_longest_hold_is_the_longest_life_of_a_holder_and_what_follows_its_death()
    {
        Group group = Lively(out _);
        Assert.Equal((30 + 7) * Group.Second, StateContents.Of(group.State).LongestHoldUs);
        // What a group that was restored holds back still is held by the holders of the one before.
        Assert.Equal(HoldBack, StateContents.Of(Restore(group).State).LongestHoldUs);
    }

    private static Group Restore(Group before) => new(RestoredState.Of(
        before.State, Group.Membership() with { ClusterId = new Guid("11111111-0f0e-4bb4-9b2e-1de7a3a6a001") }, Start,
        new Term(1), HoldBack));

    private static Group Lively(out long session)
    {
        var group = new Group();
        session = group.Create(ttl: 30 * Group.Second);
        long other = group.Create(ttl: 5 * Group.Second, stamp: Group.Second);
        group.Put("colour", "green");
        group.Put("colour", "blue");
        group.Apply(new Command
        {
            SessionId = session,
            PutConfig = new PutConfig { Key = "bound", Value = ByteString.CopyFromUtf8("x"), BindSession = true },
        });
        group.Acquire(other, "forced");
        group.Apply(new Command { ForceRelease = new ForceRelease { Name = "forced", Reason = "why not" } });
        group.Acquire(session, new AcquireLock { Name = "lock", LockDelayUs = 7 * Group.Second });
        group.Acquire(other, "lock", Group.Unbounded);
        group.Apply(Lease("lease"));
        return group;
    }

    private static Command Lease(string name) => new()
    {
        AcquireLease = new AcquireLease { Name = name, Owner = "job", TtlUs = 20 * Group.Second },
    };

    private static string? ValueOf(Group group, string key)
    {
        QueryAnswer answer = group.State.Query(new Query { GetConfig = new GetConfig { Key = key } });
        return answer.Error == ErrorCode.KeyNotFound ? null : answer.Entries[0].Value.ToStringUtf8();
    }
}
