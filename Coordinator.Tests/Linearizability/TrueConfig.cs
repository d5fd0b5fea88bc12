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

    public ConfigInput Ask() => random.Next(6) switch
    {
        0 or 1 => new ConfigInput.Get("k"),
        2 => new ConfigInput.Put("k", random.Next(2) == 0 ? Value() : $"only {++values}"),
        3 => new ConfigInput.Delete("k"),
        _ => new ConfigInput.CompareAndSet("k", random.Next(3) switch
        {
            0 => new ConfigExpectation.ValueIs(random.Next(3) == 0 ? null : Value()),
            1 => new ConfigExpectation.VersionIs(random.Next(3)),
            _ => new ConfigExpectation.RevisionIs(random.Next(6)),
        }, Value()),
    };

    public ConfigOutput Apply(ConfigInput input)
    {
        // Other keys of the group change too.
        groupRevision += random.Next(2);
        switch (input)
        {
            case ConfigInput.Put put:
                return Store(put.Value);
            case ConfigInput.CompareAndSet cas:
                bool equal = cas.Expected switch
                {
                    ConfigExpectation.ValueIs expected => expected.Value == value,
                    ConfigExpectation.VersionIs expected => expected.Version == version,
                    ConfigExpectation.RevisionIs expected => expected.Revision == (value is null ? 0 : keyRevision),
                    _ => false,
                };
                return equal ? Store(cas.Value) : new ConfigOutput.Differed();
            case ConfigInput.Delete when value is not null:
                value = null;
                version = 0;
                return new ConfigOutput.Deleted(++groupRevision);
            default:
                return value is null
                    ? new ConfigOutput.NotFound()
                    : new ConfigOutput.Found(value, version, keyRevision);
        }
    }

    private ConfigOutput.Stored Store(string stored)
    {
        value = stored;
        keyRevision = ++groupRevision;
        return new ConfigOutput.Stored(++version, keyRevision);
    }

    private string Value() => random.Next(2) == 0 ? "a" : "b";
}
