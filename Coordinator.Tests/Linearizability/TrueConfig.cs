using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

/// <summary>One configuration key as the service would keep it, and random questions to it.</summary>
internal sealed class TrueConfig(Random random)
{
    private string? value;
    private long version;
    private long keyRevision;
    private long groupRevision;
    private int values;

    public ConfigInput Ask() => random.Next(9) switch
    {
        0 or 1 => new ConfigInput.Get("k"),
        2 => new ConfigInput.Put("k", NewValue()),
        3 => new ConfigInput.Delete("k"),
        4 => new ConfigInput.CompareAndDelete("k", Expectation()),
        5 or 6 => new ConfigInput.Transact("k", ValueOrVersion(), Action(), Action()),
        _ => new ConfigInput.CompareAndSet("k", Expectation(), Value()),
    };

    public ConfigOutput Apply(ConfigInput input)
    {
        // Other keys of the group change too.
        groupRevision += random.Next(2);
        return input switch
        {
            ConfigInput.Put put => Store(put.Value),
            ConfigInput.CompareAndSet cas => Holds(cas.Expected) ? Store(cas.Value) : new ConfigOutput.Differed(),
            ConfigInput.CompareAndDelete cad => Holds(cad.Expected) ? Delete() : new ConfigOutput.Differed(),
            ConfigInput.Delete => Delete(),
            ConfigInput.Transact transaction => Transact(transaction),
            _ => Read(),
        };
    }

    private ConfigOutput.Transacted Transact(ConfigInput.Transact transaction)
    {
        bool holds = Holds(transaction.Expected);
        ConfigOutput? told = (holds ? transaction.Then : transaction.Else) switch
        {
            ConfigAction.Put put => Store(put.Value),
            ConfigAction.Delete => Delete(),
            ConfigAction.Get => Read(),
            _ => null,
        };
        // As a repeat is answered.
        return new ConfigOutput.Transacted(holds, groupRevision, random.Next(3) == 0 ? null : told);
    }

    private bool Holds(ConfigExpectation expected) => expected switch
    {
        ConfigExpectation.ValueIs value => value.Value == this.value,
        ConfigExpectation.VersionIs version => version.Version == this.version,
        ConfigExpectation.RevisionIs revision => revision.Revision == (value is null ? 0 : keyRevision),
        _ => false,
    };

    private ConfigOutput Read() =>
        value is null ? new ConfigOutput.NotFound() : new ConfigOutput.Found(value, version, keyRevision);

    private ConfigOutput Delete()
    {
        if (value is null)
            return new ConfigOutput.NotFound();
        value = null;
        version = 0;
        return new ConfigOutput.Deleted(++groupRevision);
    }

    private ConfigOutput.Stored Store(string stored)
    {
        value = stored;
        keyRevision = ++groupRevision;
        return new ConfigOutput.Stored(++version, keyRevision);
    }

    private ConfigExpectation Expectation() =>
        random.Next(3) == 0 ? new ConfigExpectation.RevisionIs(random.Next(6)) : ValueOrVersion();

    private ConfigExpectation ValueOrVersion() => random.Next(2) == 0
        ? new ConfigExpectation.ValueIs(random.Next(3) == 0 ? null : Value())
        : new ConfigExpectation.VersionIs(random.Next(3));

    private ConfigAction? Action() => random.Next(4) switch
    {
        0 => new ConfigAction.Get(),
        1 => new ConfigAction.Put(NewValue()),
        2 => new ConfigAction.Delete(),
        _ => null,
    };

    private string NewValue() => random.Next(2) == 0 ? Value() : $"only {++values}";

    private string Value() => random.Next(2) == 0 ? "a" : "b";
}
