using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// Configuration with conditions and a past: what may be done to a key depends on its family (<see cref="KeyFamilies"/>).
/// </summary>
internal sealed partial class PlainClient
{
    /// <summary>Of keys that were read or written, what was last seen of them: conditions are made of it.</summary>
    private readonly Dictionary<string, ConfigEntry> _known = new(StringComparer.Ordinal);

    private long _seenRevision;

    private string AnyKey() => random.Chance(0.7) ? $"{KeyFamilies.Plain}{random.Below(world.Scenario.Names)}" : AnyTransactedKey();

    private string AnyTransactedKey() => $"{KeyFamilies.Transacted}{random.Below(1 + (world.Scenario.Names / 2))}";

    private string AnySharedKey() => $"{KeyFamilies.Shared}{random.Below(world.Scenario.Names + 2)}";

    private void ActOnConfig(ClientSession session)
    {
        int dice = random.Below(100);
        if (dice < 16)
            WriteConditionally(session);
        else if (dice < 32)
            AskInSession(session, new Command { Transaction = MakeTransactionOfOne(AnyTransactedKey()) }, Noted);
        else if (dice < 56)
            AskInSession(session, new Command { Transaction = MakeTransactionOfSeveral(mayBind: true) }, Noted);
        else if (dice < 58)
            AskOutsideSession(new Command { Transaction = MakeTransactionOfSeveral(mayBind: false) });
        else if (dice < 66)
            AskInSession(session, new Command { PutConfig = MakePut(AnySharedKey(), bind: true) }, Noted);
        else if (dice < 69)
            AskInSession(session, new Command { RollBackConfig = MakeRollBack() }, Noted);
        else if (dice < 71)
            AskInSession(session, new Command { CompactConfig = new CompactConfig { Revision = AnyRevision() } }, Noted);
        else
            ReadConfig();
    }

    private void Noted(CommandAnswer? answer) => _seenRevision = Math.Max(_seenRevision, answer?.Position.Revision ?? 0);

    private void AskOutsideSession(Command command) => Ask(new ClientRequest(command)
    {
        FirstSent = Now,
        IsRepeatable = false,
        Commanded = Noted,
    });

    private long AnyRevision() => Math.Max(1, _seenRevision - random.Skewed(0, 40));

    private ByteString MakeValue() =>
        // Every value is written once only: a second execution would show.
        ByteString.CopyFromUtf8($"{Number}.{++_lastValue}.{new string('x', (int)random.Skewed(0, 300))}");

    private PutConfig MakePut(string key, bool bind = false) =>
        new() { Key = key, Value = MakeValue(), ContentType = "text/plain", BindSession = bind };

    private void WriteConditionally(ClientSession session)
    {
        string key = AnyKey();
        ConfigEntry? known = random.Chance(0.8) ? _known.GetValueOrDefault(key) : null;
        bool byVersion = random.Chance(0.5);
        if (random.Chance(0.75))
        {
            PutConfig put = MakePut(key);
            if (byVersion)
                put.ExpectedVersion = known?.Version ?? 0;
            else
                put.ExpectedModifyRevision = known?.ModifyRevision ?? 0;
            AskInSession(session, new Command { PutConfig = put }, Noted);
            return;
        }
        var delete = new DeleteConfig { Key = key };
        if (byVersion)
            delete.ExpectedVersion = known?.Version ?? 0;
        else
            delete.ExpectedModifyRevision = known?.ModifyRevision ?? 0;
        AskInSession(session, new Command { DeleteConfig = delete }, Noted);
    }

    /// <summary>One compare for equality, and at most one operation a branch, all of one key.</summary>
    private Transaction MakeTransactionOfOne(string key)
    {
        ConfigEntry? known = _known.GetValueOrDefault(key);
        Compare compare = random.Below(3) switch
        {
            0 => new Compare { Key = key, Version = known?.Version ?? 0 },
            1 when known is not null => new Compare { Key = key, Value = known.Value },
            _ => new Compare { Key = key, Exists = false },
        };
        var transaction = new Transaction { Compares = { compare } };
        if (random.Chance(0.9))
            transaction.Then.Add(AnyOperationOn(key));
        if (random.Chance(0.7))
            transaction.Else.Add(AnyOperationOn(key));
        return transaction;
    }

    private ConfigOperation AnyOperationOn(string key, bool mayBind = false) => random.Below(5) switch
    {
        0 => new ConfigOperation { Get = new ReadKey { Key = key } },
        1 => new ConfigOperation { Delete = new DeleteConfig { Key = key } },
        _ => new ConfigOperation { Put = MakePut(key, mayBind && random.Chance(0.3)) },
    };

    private Transaction MakeTransactionOfSeveral(bool mayBind)
    {
        var transaction = new Transaction();
        transaction.Then.Add(AnyBranch(mayBind));
        transaction.Else.Add(AnyBranch(mayBind));
        // One that neither compares nor does anything is refused.
        int compares = (int)random.Between(transaction.Then.Count > 0 ? 0 : 1, 3);
        for (int i = 0; i < compares; i++)
            transaction.Compares.Add(AnyCompare(AnySharedKey()));
        return transaction;
    }

    private Compare AnyCompare(string key)
    {
        ConfigEntry? known = _known.GetValueOrDefault(key);
        CompareRelation relation = random.Pick(Enum.GetValues<CompareRelation>());
        return random.Below(5) switch
        {
            0 => new Compare { Key = key, Relation = relation, Version = known?.Version ?? random.Below(3) },
            1 => new Compare { Key = key, Relation = relation, ModifyRevision = known?.ModifyRevision ?? 0 },
            2 => new Compare { Key = key, Relation = relation, CreateRevision = known?.CreateRevision ?? 0 },
            3 when known is not null => new Compare { Key = key, Relation = relation, Value = known.Value },
            _ => new Compare
            {
                Key = key,
                Relation = random.Chance(0.5) ? CompareRelation.Equal : CompareRelation.NotEqual,
                Exists = random.Chance(0.5),
            },
        };
    }

    /// <summary>Each key once, as the rules want it; or all of them, by their prefix.</summary>
    private List<ConfigOperation> AnyBranch(bool mayBind)
    {
        if (random.Chance(0.05))
            return [new ConfigOperation { DeletePrefix = new DeletePrefix { Prefix = KeyFamilies.Shared } }];
        return [.. Enumerable.Range(0, random.Below(4)).Select(_ => AnySharedKey()).Distinct().ToList()
            .Select(key => AnyOperationOn(key, mayBind))];
    }

    private RollBackConfig MakeRollBack() => new()
    {
        Prefix = random.Chance(0.5) ? KeyFamilies.Shared : AnySharedKey(),
        Revision = AnyRevision(),
    };

    private void ReadConfig()
    {
        int dice = random.Below(10);
        bool isOfThePast = dice < 7;
        long revision = isOfThePast ? AnyRevision() : 0;
        // Only the group can say that there is no such revision yet: who asks one replica would wait for it.
        bool isOfTheFuture = dice == 7;
        if (isOfTheFuture)
            revision = _seenRevision + random.Between(1, 200);
        bool isList = random.Chance(0.3);
        Query query = isList
            ? new Query { ListConfig = new ListConfig { Prefix = KeyFamilies.Shared, Revision = revision, CountOnly = random.Chance(0.3) } }
            : new Query { GetConfig = new GetConfig { Key = random.Chance(0.4) ? AnyKey() : AnySharedKey(), Revision = revision } };
        query.Serializable = !isOfTheFuture && random.Chance(0.4);
        // A revision can be known from elsewhere than an answer, without the index that it was seen at.
        if (isOfThePast && random.Chance(0.5))
            ReadAsItIs(query);
        else
            Read(query);
    }

    private void Note(Query query, QueryAnswer answer)
    {
        _seenRevision = Math.Max(_seenRevision, answer.Position.Revision);
        foreach (ConfigEntry entry in answer.Entries)
            _known[entry.Key] = entry;
        if (query.GetConfig is { Revision: 0 } get && answer.Error == ErrorCode.KeyNotFound)
            _known.Remove(get.Key);
    }
}
