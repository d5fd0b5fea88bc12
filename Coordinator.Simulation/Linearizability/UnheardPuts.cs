namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// Puts whose outcome nobody heard, and what reads tell of them. A read of a value that was put once only tells version
/// and revision of that put, and that it had happened by then. A value that no answer and no condition names could be any
/// other: all such puts are the same.
/// </summary>
internal static class UnheardPuts
{
    public static IReadOnlyList<Operation<ConfigInput, ConfigOutput>> Resolve(
        IReadOnlyList<Operation<ConfigInput, ConfigOutput>> operations)
    {
        Dictionary<string, int> timesPut = operations
            .SelectMany(o => PutValuesOf(o.Input)).GroupBy(value => value).ToDictionary(g => g.Key, g => g.Count());
        Dictionary<string, Operation<ConfigInput, ConfigOutput>> firstRead = operations
            .Where(o => FoundBy(o) is not null).GroupBy(o => FoundBy(o)!.Value)
            .ToDictionary(g => g.Key, g => g.MinBy(o => o.Return)!);
        HashSet<string?> expected = operations.Select(o => ExpectedValueOf(o.Input)).ToHashSet();
        string unread = "…";
        while (firstRead.ContainsKey(unread) || expected.Contains(unread))
            unread += "…";
        return operations.Select(Resolved).ToList();

        Operation<ConfigInput, ConfigOutput> Resolved(Operation<ConfigInput, ConfigOutput> operation)
        {
            if (operation.OutcomeIsKnown)
                return operation;
            foreach (string value in PutValuesOf(operation.Input))
            {
                if (firstRead.TryGetValue(value, out Operation<ConfigInput, ConfigOutput>? read)
                    && timesPut[value] == 1 && operation.Invocation < read.Return)
                    return operation with { Output = Told(operation.Input, value, FoundBy(read)!), Return = read.Return };
            }
            return operation with { Input = WithValues(operation.Input, Shown) };
        }

        string Shown(string value) => firstRead.ContainsKey(value) || expected.Contains(value) ? value : unread;
    }

    private static ConfigOutput.Found? FoundBy(Operation<ConfigInput, ConfigOutput> operation) => operation.Output switch
    {
        ConfigOutput.Found found => found,
        ConfigOutput.Transacted { Told: ConfigOutput.Found found } => found,
        _ => null,
    };

    private static ConfigOutput Told(ConfigInput input, string value, ConfigOutput.Found read)
    {
        var stored = new ConfigOutput.Stored(read.Version, read.Revision);
        return input is ConfigInput.Transact transaction
            ? new ConfigOutput.Transacted(transaction.Then is ConfigAction.Put then && then.Value == value, read.Revision, stored)
            : stored;
    }

    private static IEnumerable<string> PutValuesOf(ConfigInput input) => input switch
    {
        ConfigInput.Put put => [put.Value],
        ConfigInput.CompareAndSet cas => [cas.Value],
        ConfigInput.Transact transaction =>
            new[] { transaction.Then, transaction.Else }.OfType<ConfigAction.Put>().Select(put => put.Value),
        _ => [],
    };

    private static ConfigInput WithValues(ConfigInput input, Func<string, string> change) => input switch
    {
        ConfigInput.Put put => put with { Value = change(put.Value) },
        ConfigInput.CompareAndSet cas => cas with { Value = change(cas.Value) },
        ConfigInput.Transact transaction => transaction with
        {
            Then = WithValue(transaction.Then, change),
            Else = WithValue(transaction.Else, change),
        },
        _ => input,
    };

    private static ConfigAction? WithValue(ConfigAction? action, Func<string, string> change) =>
        action is ConfigAction.Put put ? put with { Value = change(put.Value) } : action;

    private static string? ExpectedValueOf(ConfigInput input) => input switch
    {
        ConfigInput.CompareAndSet { Expected: ConfigExpectation.ValueIs expected } => expected.Value,
        ConfigInput.CompareAndDelete { Expected: ConfigExpectation.ValueIs expected } => expected.Value,
        ConfigInput.Transact { Expected: ConfigExpectation.ValueIs expected } => expected.Value,
        _ => null,
    };
}
