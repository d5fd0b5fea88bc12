using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Contracts;

public sealed class TransactionRulesTests
{
    [Fact]
    public void Compares_and_operations_are_at_most_128_in_all()
    {
        var transaction = new Transaction();
        for (int i = 0; i < 43; i++)
            transaction.Compares.Add(new Compare { Key = "k", Exists = true });
        for (int i = 0; i < 43; i++)
            transaction.Then.Add(Put($"k/{i}"));
        for (int i = 0; i < 42; i++)
            transaction.Else.Add(Put($"k/{i}"));
        Expect(ErrorCode.Ok, transaction);
        transaction.Else.Add(Put("k/42"));
        Expect(ErrorCode.TooManyOperations, transaction);
        Expect(ErrorCode.InvalidRequest, new Transaction());
    }

    [Fact]
    public void A_branch_writes_a_key_once_and_the_other_branch_may_write_it_too()
    {
        Expect(ErrorCode.Ok, new Transaction { Then = { Put("a"), Put("b") }, Else = { Put("a"), Delete("b") } });
        Expect(ErrorCode.DuplicateKey, new Transaction { Then = { Put("a"), Put("a") } });
        Expect(ErrorCode.DuplicateKey, new Transaction { Else = { Put("a"), Delete("a") } });
        Expect(ErrorCode.DuplicateKey, new Transaction { Then = { Put("a/b"), DeletePrefix("a/") } });
        Expect(ErrorCode.DuplicateKey, new Transaction { Then = { DeletePrefix("a/"), DeletePrefix("a/b") } });
        Expect(ErrorCode.Ok, new Transaction { Then = { DeletePrefix("a/"), Put("a") } });
    }

    [Fact]
    public void A_transaction_in_a_transaction_is_refused_by_name() => Expect(
        ErrorCode.NestedTransaction,
        new Transaction { Then = { new ConfigOperation { Transaction = new Transaction { Then = { Put("a") } } } } });

    [Fact]
    public void A_transaction_is_no_larger_than_a_request()
    {
        var transaction = new Transaction { Then = { Put("a", Limits.ValueBytesMax), Put("b") } };
        int room = Limits.RequestBytesMax - transaction.CalculateSize();
        // Two more bytes of length for a value of so many bytes.
        transaction.Then[1].Put.Value = ByteString.CopyFrom(new byte[room - 8]);
        while (transaction.CalculateSize() < Limits.RequestBytesMax)
            transaction.Then[1].Put.ContentType += "x";
        Expect(ErrorCode.Ok, transaction);
        transaction.Then[1].Put.ContentType += "x";
        Expect(ErrorCode.RequestTooLarge, transaction);
    }

    [Fact]
    public void What_an_operation_or_a_compare_lacks_is_named()
    {
        Expect(ErrorCode.InvalidRequest, new Transaction { Then = { new ConfigOperation() } });
        Expect(ErrorCode.InvalidRequest, new Transaction { Compares = { new Compare { Key = "k" } } });
        Expect(ErrorCode.InvalidRequest, new Transaction { Compares = { new Compare { Key = "k", Exists = true, Relation = CompareRelation.Less } } });
        Expect(ErrorCode.InvalidRequest, new Transaction { Compares = { new Compare { Key = "k", Exists = true, Relation = (CompareRelation)9 } } });
        Expect(ErrorCode.InvalidName, new Transaction { Compares = { new Compare { Key = "a//b", Exists = true } } });
        Expect(ErrorCode.InvalidName, new Transaction { Then = { Put("a//b") } });
        Expect(ErrorCode.InvalidName, new Transaction { Then = { new ConfigOperation { Get = new ReadKey { Key = "" } } } });
        Expect(ErrorCode.InvalidRequest, new Transaction { Then = { DeletePrefix("") } });
        Expect(ErrorCode.ValueTooLarge, new Transaction { Then = { Put("a", Limits.ValueBytesMax + 1) } });
        ConfigOperation conditional = Put("a");
        conditional.Put.ExpectedVersion = 0;
        Expect(ErrorCode.InvalidRequest, new Transaction { Then = { conditional } });
    }

    [Fact]
    public void A_key_is_bound_to_a_session_that_puts_it()
    {
        var put = new PutConfig { Key = "k", BindSession = true };
        var transaction = new Transaction { Then = { new ConfigOperation { Put = put } } };
        Expect(ErrorCode.InvalidRequest, new Command { PutConfig = put });
        Expect(ErrorCode.Ok, new Command { SessionId = 7, PutConfig = put });
        Expect(ErrorCode.InvalidRequest, new Command { Transaction = transaction });
        Expect(ErrorCode.Ok, new Command { SessionId = 7, Transaction = transaction });
    }

    [Fact]
    public void Revisions_count_from_1()
    {
        Expect(ErrorCode.InvalidRequest, new Command { CompactConfig = new CompactConfig() });
        Expect(ErrorCode.InvalidRequest, new Command { RollBackConfig = new RollBackConfig { Prefix = "a" } });
        Expect(ErrorCode.Ok, new Command { RollBackConfig = new RollBackConfig { Revision = 1 } });
        Expect(ErrorCode.InvalidRequest, new Command { PutConfig = new PutConfig { Key = "k", ExpectedVersion = -1 } });
        Assert.Equal(
            ErrorCode.InvalidRequest, QueryRules.Check(new Query { GetConfig = new GetConfig { Key = "k", Revision = -1 } })?.Code);
    }

    private static ConfigOperation Put(string key, int bytes = 0) =>
        new() { Put = new PutConfig { Key = key, Value = ByteString.CopyFrom(new byte[bytes]) } };

    private static ConfigOperation Delete(string key) => new() { Delete = new DeleteConfig { Key = key } };

    private static ConfigOperation DeletePrefix(string prefix) =>
        new() { DeletePrefix = new DeletePrefix { Prefix = prefix } };

    private static void Expect(ErrorCode expected, Transaction transaction) =>
        Expect(expected, new Command { Transaction = transaction });

    private static void Expect(ErrorCode expected, Command command) =>
        Assert.Equal(expected, CommandRules.Check(command)?.Code ?? ErrorCode.Ok);
}
