using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.State;

/// <summary>Random commands of configuration on few keys and few values, so that conditions hold about as often as not.</summary>
internal sealed class ConfigCommandSource(Random random)
{
    private static readonly string[] Keys = ["a", "b", "b/c", "b/d", "b/c/e"];
    private static readonly string[] Prefixes = ["", "a", "b", "b/", "b/c"];

    public void Fill(Command command, long revision)
    {
        switch (random.Next(20))
        {
            case < 6:
                command.PutConfig = Put(command, conditional: true);
                break;
            case < 9:
                command.DeleteConfig = Delete(conditional: true);
                break;
            case < 16:
                command.Transaction = NewTransaction(command);
                break;
            case < 17:
                command.CompactConfig = new CompactConfig { Revision = revision + random.Next(-6, 2) };
                break;
            default:
                command.RollBackConfig = new RollBackConfig
                {
                    Prefix = Prefixes[random.Next(Prefixes.Length)],
                    Revision = revision + random.Next(-8, 2),
                };
                break;
        }
    }

    private Transaction NewTransaction(Command command)
    {
        var transaction = new Transaction();
        for (int i = random.Next(3); i > 0; i--)
            transaction.Compares.Add(NewCompare());
        for (int i = random.Next(4); i > 0; i--)
            transaction.Then.Add(Operation(command));
        for (int i = random.Next(3); i > 0; i--)
            transaction.Else.Add(Operation(command));
        return transaction;
    }

    private Compare NewCompare()
    {
        var compare = new Compare { Key = Key(), Relation = (CompareRelation)random.Next(4) };
        switch (random.Next(5))
        {
            case 0:
                compare.Version = random.Next(4);
                break;
            case 1:
                compare.CreateRevision = random.Next(60);
                break;
            case 2:
                compare.ModifyRevision = random.Next(60);
                break;
            case 3:
                compare.Value = Value();
                break;
            default:
                compare.Exists = random.Next(2) == 0;
                break;
        }
        return compare;
    }

    private ConfigOperation Operation(Command command) => random.Next(9) switch
    {
        < 3 => new ConfigOperation { Put = Put(command, conditional: false) },
        < 5 => new ConfigOperation { Delete = Delete(conditional: false) },
        5 => new ConfigOperation { DeletePrefix = new DeletePrefix { Prefix = Prefixes[random.Next(Prefixes.Length)] } },
        < 8 => new ConfigOperation { Get = new ReadKey { Key = Key() } },
        _ => random.Next(8) == 0
            ? new ConfigOperation { Transaction = new Transaction() }
            : new ConfigOperation { Get = new ReadKey { Key = Key() } },
    };

    private PutConfig Put(Command command, bool conditional)
    {
        var put = new PutConfig
        {
            Key = Key(),
            Value = Value(),
            ContentType = random.Next(2) == 0 ? "" : "text/plain",
            BindSession = (command.SessionId != 0 || random.Next(10) == 0) && random.Next(3) == 0,
        };
        if (conditional && random.Next(5) == 0)
            put.ExpectedVersion = random.Next(3);
        if (conditional && random.Next(8) == 0)
            put.ExpectedModifyRevision = random.Next(2) * random.Next(60);
        return put;
    }

    private DeleteConfig Delete(bool conditional)
    {
        var delete = new DeleteConfig { Key = Key() };
        if (conditional && random.Next(5) == 0)
            delete.ExpectedVersion = random.Next(3);
        if (conditional && random.Next(8) == 0)
            delete.ExpectedModifyRevision = random.Next(60);
        return delete;
    }

    private string Key() => random.Next(80) == 0 ? "a//b" : Keys[random.Next(Keys.Length)];

    private ByteString Value() => ByteString.CopyFromUtf8($"{random.Next(4)}");
}
