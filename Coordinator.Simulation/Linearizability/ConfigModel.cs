using System.Globalization;

namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// A configuration key as a register. Invariant: each change raises the version by one, from 0 of an absent key, and
/// the revision by at least one: revisions are the group's, and other keys change too.
/// </summary>
internal sealed class ConfigModel : Model<ConfigInput, ConfigOutput, ConfigState>
{
    public override string Name => "config";

    public override ConfigState Initial => new(null, 0, 0, true);

    public override string? KeyOf(ConfigInput input) => input.Key;

    public override bool TryStep(ConfigState state, ConfigInput input, ConfigOutput? output, out ConfigState next)
    {
        next = state;
        return input switch
        {
            ConfigInput.Get => Get(state, input, output, out next),
            ConfigInput.Put put => Put(state, put, put.Value, output, out next),
            ConfigInput.Delete => Delete(state, input, output, out next),
            ConfigInput.CompareAndSet cas => CompareAndSet(state, cas, output, out next),
            _ => throw new ArgumentException($"Unknown operation {input}.", nameof(input)),
        };
    }

    private static bool Get(ConfigState state, ConfigInput input, ConfigOutput? output, out ConfigState next)
    {
        next = state;
        switch (output)
        {
            case null:
                return true;
            case ConfigOutput.NotFound:
                return state.Value is null;
            case ConfigOutput.Found found:
                // A read may be the first to tell the revision of a change that nobody heard of.
                next = state with { Revision = found.Revision, RevisionIsKnown = true };
                return state.Value == found.Value && state.Version == found.Version
                    && state.MayHaveRevision(found.Revision);
            default:
                throw NoAnswer(input, output);
        }
    }

    private static bool Put(
        ConfigState state, ConfigInput input, string value, ConfigOutput? output, out ConfigState next)
    {
        next = state.Put(value, (output as ConfigOutput.Stored)?.Revision);
        return output switch
        {
            null => true,
            ConfigOutput.Stored stored => stored.Version == next.Version && stored.Revision > state.Revision,
            _ => throw NoAnswer(input, output),
        };
    }

    private static bool Delete(ConfigState state, ConfigInput input, ConfigOutput? output, out ConfigState next)
    {
        next = state.Value is null ? state : state.Delete((output as ConfigOutput.Deleted)?.Revision);
        return output switch
        {
            null => true,
            ConfigOutput.NotFound => state.Value is null,
            ConfigOutput.Deleted deleted => state.Value is not null && !(deleted.Revision <= state.Revision),
            _ => throw NoAnswer(input, output),
        };
    }

    private static bool CompareAndSet(
        ConfigState state, ConfigInput.CompareAndSet cas, ConfigOutput? output, out ConfigState next)
    {
        next = state;
        bool mayEqual = cas.Expected switch
        {
            ConfigExpectation.ValueIs expected => expected.Value == state.Value,
            ConfigExpectation.VersionIs expected => expected.Version == state.Version,
            ConfigExpectation.RevisionIs { Revision: var revision } =>
                state.Value is null ? revision == 0 : state.MayHaveRevision(revision),
            _ => throw new ArgumentException($"Unknown condition {cas.Expected}.", nameof(cas)),
        };
        if (output is ConfigOutput.Differed)
        {
            // The one condition that can be true in one case and false in another is on a revision not heard of.
            return !mayEqual || (cas.Expected is ConfigExpectation.RevisionIs && !state.RevisionIsKnown);
        }
        // Of an unknown outcome only the swap matters: one that differed is the same as one that never happened.
        if (!mayEqual)
            return false;
        // That it equalled tells the revision, if it was not known: what comes after must be above.
        ConfigState before = cas.Expected is ConfigExpectation.RevisionIs { Revision: > 0 } told
            ? state with { Revision = told.Revision, RevisionIsKnown = true }
            : state;
        return Put(before, cas, cas.Value, output, out next);
    }

    private static ArgumentException NoAnswer(ConfigInput input, ConfigOutput output) =>
        new($"{output} is no answer to {input}.", nameof(output));

    public override Int128? RankOf(ConfigInput input, ConfigOutput? output) => output switch
    {
        ConfigOutput.Found found => found.Revision,
        ConfigOutput.Stored stored => stored.Revision,
        ConfigOutput.Deleted deleted => deleted.Revision,
        _ => null,
    };

    public override Int128 RankOf(ConfigState state) => state.Revision;

    public override IReadOnlyList<Operation<ConfigInput, ConfigOutput>> Resolve(
        IReadOnlyList<Operation<ConfigInput, ConfigOutput>> operations) => UnheardPuts.Resolve(operations);

    public override string Describe(ConfigInput input, ConfigOutput? output)
    {
        string asked = input switch
        {
            ConfigInput.Put put => $"put \"{put.Value}\"",
            ConfigInput.Delete => "delete",
            ConfigInput.CompareAndSet { Expected: var expected, Value: var value } => expected switch
            {
                ConfigExpectation.ValueIs { Value: null } => $"put \"{value}\" if absent",
                ConfigExpectation.ValueIs isValue => $"put \"{value}\" if value is \"{isValue.Value}\"",
                ConfigExpectation.VersionIs version => $"put \"{value}\" if version is {version.Version}",
                ConfigExpectation.RevisionIs revision => $"put \"{value}\" if revision is {revision.Revision}",
                _ => $"put \"{value}\" if {expected}",
            },
            _ => "get",
        };
        return output switch
        {
            null => $"{asked}: unknown",
            ConfigOutput.Found found => $"{asked}: \"{found.Value}\" version {found.Version} revision {found.Revision}",
            ConfigOutput.Stored stored => $"{asked}: version {stored.Version} revision {stored.Revision}",
            ConfigOutput.Deleted deleted => $"{asked}: revision {deleted.Revision?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}",
            ConfigOutput.NotFound => $"{asked}: not found",
            _ => $"{asked}: differed",
        };
    }
}
