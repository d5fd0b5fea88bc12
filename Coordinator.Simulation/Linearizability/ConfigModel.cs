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
            ConfigInput.CompareAndSet cas => IfExpected(state, cas, cas.Expected, output, out next),
            ConfigInput.CompareAndDelete cad => IfExpected(state, cad, cad.Expected, output, out next),
            ConfigInput.Transact transaction => Transact(state, transaction, output, out next),
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

    private static bool IfExpected(
        ConfigState state, ConfigInput input, ConfigExpectation expected, ConfigOutput? output, out ConfigState next)
    {
        next = state;
        bool mayEqual = MayEqual(state, expected);
        if (output is ConfigOutput.Differed)
        {
            // The one condition that can be true in one case and false in another is on a revision not heard of.
            return !mayEqual || (expected is ConfigExpectation.RevisionIs && !state.RevisionIsKnown);
        }
        // Of an unknown outcome only the change matters: one that differed is the same as one that never happened.
        if (!mayEqual)
            return false;
        // That it equalled tells the revision, if it was not known: what comes after must be above.
        ConfigState before = expected is ConfigExpectation.RevisionIs { Revision: > 0 } told
            ? state with { Revision = told.Revision, RevisionIsKnown = true }
            : state;
        return input is ConfigInput.CompareAndSet cas
            ? Put(before, cas, cas.Value, output, out next)
            : Delete(before, input, output, out next);
    }

    private static bool MayEqual(ConfigState state, ConfigExpectation expected) => expected switch
    {
        ConfigExpectation.ValueIs { Value: var value } => value == state.Value,
        ConfigExpectation.VersionIs { Version: var version } => version == state.Version,
        ConfigExpectation.RevisionIs { Revision: var revision } =>
            state.Value is null ? revision == 0 : state.MayHaveRevision(revision),
        _ => throw new ArgumentException($"Unknown condition {expected}.", nameof(expected)),
    };

    private static bool Transact(
        ConfigState state, ConfigInput.Transact transaction, ConfigOutput? output, out ConfigState next)
    {
        next = state;
        // Without an answer it would be both: done one way or the other, by a revision that nobody heard.
        if (transaction.Expected is ConfigExpectation.RevisionIs)
            throw new ArgumentException($"The branch of {transaction} is not told by what was seen.", nameof(transaction));
        bool holds = MayEqual(state, transaction.Expected);
        ConfigAction? action = holds ? transaction.Then : transaction.Else;
        if (output is null)
            return Act(state, transaction, action, output, out next);
        if (output is not ConfigOutput.Transacted told)
            throw NoAnswer(transaction, output);
        ConfigOutput? inner = told.Told ?? ImpliedBy(state, action, told.Revision);
        return told.IsThen == holds && Act(state, transaction, action, inner, out next) && told.Revision >= next.Revision;
    }

    private static bool Act(
        ConfigState state, ConfigInput input, ConfigAction? action, ConfigOutput? output, out ConfigState next)
    {
        next = state;
        return action switch
        {
            null => output is null,
            ConfigAction.Get => Get(state, input, output, out next),
            ConfigAction.Put put => Put(state, input, put.Value, output, out next),
            ConfigAction.Delete => Delete(state, input, output, out next),
            _ => throw new ArgumentException($"Unknown action {action}.", nameof(action)),
        };
    }

    /// <summary>What the branch's operation would have been answered: that of a repeat is not told again.</summary>
    private static ConfigOutput? ImpliedBy(ConfigState state, ConfigAction? action, long revision) => action switch
    {
        ConfigAction.Put => new ConfigOutput.Stored(state.Version + 1, revision),
        ConfigAction.Delete when state.Value is null => new ConfigOutput.NotFound(),
        ConfigAction.Delete => new ConfigOutput.Deleted(revision),
        _ => null,
    };

    private static ArgumentException NoAnswer(ConfigInput input, ConfigOutput output) =>
        new($"{output} is no answer to {input}.", nameof(output));

    public override Int128? RankOf(ConfigInput input, ConfigOutput? output) => output switch
    {
        ConfigOutput.Found found => found.Revision,
        ConfigOutput.Stored stored => stored.Revision,
        ConfigOutput.Deleted deleted => deleted.Revision,
        ConfigOutput.Transacted { Told: { } told } => RankOf(input, told),
        // Of one that changed nothing the revision is the group's, not the key's.
        ConfigOutput.Transacted transacted when input is ConfigInput.Transact transaction
            && (transacted.IsThen ? transaction.Then : transaction.Else) is ConfigAction.Put => transacted.Revision,
        _ => null,
    };

    public override Int128 RankOf(ConfigState state) => state.Revision;

    public override IReadOnlyList<Operation<ConfigInput, ConfigOutput>> Resolve(
        IReadOnlyList<Operation<ConfigInput, ConfigOutput>> operations) => UnheardPuts.Resolve(operations);

    public override string Describe(ConfigInput input, ConfigOutput? output) => ConfigWords.Of(input, output);
}
