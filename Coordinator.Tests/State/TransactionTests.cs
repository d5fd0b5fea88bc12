using Coordinator.Contracts;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

public sealed class TransactionTests
{
    private readonly Group _group = new();

    [Fact]
    public void All_writes_of_a_branch_have_one_revision_and_each_operation_sees_those_before_it()
    {
        _group.Put("b", "old");

        CommandResult result = Do(new Transaction
        {
            Then = { Put("a", "1"), Get("a"), Delete("b"), Get("b"), Delete("c") },
        }).Result;

        Assert.Equal((ErrorCode.Ok, Outcome.Done, 2L), (result.Error, result.Outcome, result.Revision));
        Assert.Equal(1, result.Operations[0].Version);
        Assert.Equal(("1", 2L), (result.Operations[1].Entry.Value.ToStringUtf8(), result.Operations[1].Entry.ModifyRevision));
        Assert.Equal((1L, 0L), (result.Operations[2].DeletedKeys, result.Operations[4].DeletedKeys));
        Assert.Null(result.Operations[3].Entry);
        Assert.Equal(2, _group.State.Revision);
    }

    [Fact]
    public void What_changes_nothing_takes_no_revision()
    {
        _group.Put("a", "1");

        CommandResult result = Do(new Transaction { Then = { Get("a"), Delete("b") } }).Result;

        Assert.Equal((Outcome.Done, 1L, 1L), (result.Outcome, result.Revision, _group.State.Revision));
    }

    [Theory]
    [InlineData(0L, CompareRelation.Equal, Outcome.Done)]
    [InlineData(0L, CompareRelation.NotEqual, Outcome.DoneElse)]
    [InlineData(1L, CompareRelation.Less, Outcome.Done)]
    [InlineData(0L, CompareRelation.Greater, Outcome.DoneElse)]
    public void A_missing_key_compares_as_version_0(long version, CompareRelation relation, Outcome expected)
    {
        Compare compare = new() { Key = "none", Relation = relation, Version = version };

        Assert.Equal(expected, Do(new Transaction { Compares = { compare } }).Result.Outcome);
    }

    [Fact]
    public void The_value_of_a_missing_key_is_neither_equal_nor_unequal_to_anything()
    {
        foreach (CompareRelation relation in Enum.GetValues<CompareRelation>())
        {
            Compare compare = new() { Key = "none", Relation = relation, Value = ByteString.Empty };
            Assert.Equal(Outcome.DoneElse, Do(new Transaction { Compares = { compare } }).Result.Outcome);
        }
    }

    [Fact]
    public void A_repeat_is_told_the_branch_and_the_revision_but_no_values_and_is_not_done_again()
    {
        long session = _group.Create();
        _group.Put("a", "secret");
        var transaction = new Transaction
        {
            Compares = { new Compare { Key = "a", Exists = false } },
            Else = { Get("a"), Put("b", "1") },
        };
        Command command = new() { SessionId = session, RequestId = 1, Transaction = transaction };

        CommandResult first = _group.Apply(command).Result;
        _group.Put("c", "later");
        Group copy = _group.Copy();
        CommandResult repeat = _group.Apply(command).Result;

        Assert.Equal("secret", first.Operations[0].Entry.Value.ToStringUtf8());
        Assert.Equal((Outcome.DoneElse, 2L), (first.Outcome, first.Revision));
        Assert.Equal((Outcome.DoneElse, 2L, 0), (repeat.Outcome, repeat.Revision, repeat.Operations.Count));
        Assert.Equal(repeat, copy.Apply(command).Result);
        Assert.Equal(3, _group.State.Revision);

        command.Transaction.Else[1].Put.Key = "d";
        Group.IsRefused(_group.Apply(command), ErrorCode.RequestMismatch);
    }

    [Fact]
    public void What_the_gets_find_fits_one_answer_or_nothing_is_done()
    {
        string half = new('v', Limits.TransactionAnswerBytesMax / 2 - 100);
        _group.Put("a", half);
        _group.Put("b", half);

        Assert.Equal(ErrorCode.Ok, Do(new Transaction { Then = { Get("a"), Get("b") } }).Result.Error);
        Group.IsRefused(Do(new Transaction { Then = { Put("x", "1"), Get("a"), Get("b"), Get("a") } }), ErrorCode.AnswerTooLarge);
        Assert.Equal(2, _group.State.Revision);
    }

    [Fact]
    public void A_refused_operation_leaves_nothing_of_the_transaction()
    {
        var group = new Group(new StateSettings { KeysPerRevision = 2 });
        byte[] before = group.SnapshotContents();

        Group.IsRefused(
            group.Apply(new Command { Transaction = new Transaction { Then = { Put("a", "1"), Put("b", "1"), Put("c", "1") } } }),
            ErrorCode.TooManyKeys);
        Assert.Equal(before, group.SnapshotContents());
        Assert.Equal(
            1, group.Apply(new Command { Transaction = new Transaction { Then = { Put("a", "1"), Put("b", "1") } } }).Result.Revision);
    }

    [Fact]
    public void A_conditional_put_creates_replaces_and_refuses_by_version_or_revision()
    {
        Assert.Equal(ErrorCode.Ok, PutIf("a", version: 0));
        Assert.Equal(ErrorCode.ConditionFailed, PutIf("a", version: 0));
        Assert.Equal(ErrorCode.Ok, PutIf("a", version: 1));
        Assert.Equal(ErrorCode.ConditionFailed, PutIf("a", revision: 1));
        Assert.Equal(ErrorCode.Ok, PutIf("a", revision: 2));
        Assert.Equal(3, _group.State.Revision);

        var delete = new DeleteConfig { Key = "a", ExpectedModifyRevision = 2 };
        Group.IsRefused(_group.Apply(new Command { DeleteConfig = delete }), ErrorCode.ConditionFailed);
        delete.ExpectedModifyRevision = 3;
        Assert.Equal(Outcome.Done, _group.Apply(new Command { DeleteConfig = delete }).Result.Outcome);
    }

    private ErrorCode PutIf(string key, long? version = null, long? revision = null)
    {
        var put = new PutConfig { Key = key };
        if (version is { } expected)
            put.ExpectedVersion = expected;
        if (revision is { } modified)
            put.ExpectedModifyRevision = modified;
        return _group.Apply(new Command { PutConfig = put }).Result.Error;
    }

    private ApplyResult Do(Transaction transaction) => _group.Apply(new Command { Transaction = transaction });

    private static ConfigOperation Put(string key, string value) =>
        new() { Put = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(value) } };

    private static ConfigOperation Get(string key) => new() { Get = new ReadKey { Key = key } };

    private static ConfigOperation Delete(string key) => new() { Delete = new DeleteConfig { Key = key } };
}
