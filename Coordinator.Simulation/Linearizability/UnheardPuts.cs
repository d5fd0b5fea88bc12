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
            .Select(o => PutValueOf(o.Input)).OfType<string>().GroupBy(value => value).ToDictionary(g => g.Key, g => g.Count());
        Dictionary<string, Operation<ConfigInput, ConfigOutput>> firstRead = operations
            .Where(o => o.Output is ConfigOutput.Found).GroupBy(o => ((ConfigOutput.Found)o.Output!).Value)
            .ToDictionary(g => g.Key, g => g.MinBy(o => o.Return)!);
        HashSet<string?> expected = operations.Select(o => ExpectedValueOf(o.Input)).ToHashSet();
        string unread = "…";
        while (firstRead.ContainsKey(unread) || expected.Contains(unread))
            unread += "…";
        return operations.Select(Resolved).ToList();

        Operation<ConfigInput, ConfigOutput> Resolved(Operation<ConfigInput, ConfigOutput> operation)
        {
            if (operation is not { OutcomeIsKnown: false, Input: ConfigInput.Put put })
                return operation;
            if (!firstRead.TryGetValue(put.Value, out Operation<ConfigInput, ConfigOutput>? read))
                return expected.Contains(put.Value) ? operation : operation with { Input = put with { Value = unread } };
            return timesPut[put.Value] == 1 && operation.Invocation < read.Return
                ? operation with { Output = Told((ConfigOutput.Found)read.Output!), Return = read.Return }
                : operation;
        }
    }

    private static ConfigOutput.Stored Told(ConfigOutput.Found read) => new(read.Version, read.Revision);

    private static string? PutValueOf(ConfigInput input) => input switch
    {
        ConfigInput.Put put => put.Value,
        ConfigInput.CompareAndSet cas => cas.Value,
        _ => null,
    };

    private static string? ExpectedValueOf(ConfigInput input) =>
        input is ConfigInput.CompareAndSet { Expected: ConfigExpectation.ValueIs expected } ? expected.Value : null;
}
