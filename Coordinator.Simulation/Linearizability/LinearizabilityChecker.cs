namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// Says whether a history could have come from one copy of an object that did its operations one at a time, each at
/// some moment between its invocation and its return (Herlihy and Wing). Each key is checked alone, which is enough:
/// linearizability is local. Invariant: the same history and budget give the same result, on any machine.
/// </summary>
internal static class LinearizabilityChecker
{
    /// <summary>
    /// Some fifty times what the hardest public history takes, and a few hundred megabytes of memory at most: a step
    /// remembers one pair of (operations placed, state).
    /// </summary>
    public const long StepsMaxDefault = 2_000_000;

    /// <param name="stepsMax">The budget for each key, in calls of the model. Past it the key is undecided.</param>
    /// <exception cref="FormatException">The events are no history.</exception>
    public static CheckResult Check<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, IReadOnlyList<HistoryEvent<TInput, TOutput>> history,
        long stepsMax = StepsMaxDefault)
        where TInput : class
        where TOutput : class
    {
        List<Operation<TInput, TOutput>> operations = Operation<TInput, TOutput>.FromHistory(history);
        IEnumerable<string> keys = operations.Select(o => model.KeyOf(o.Input)).OfType<string>().Distinct();
        ILookup<string?, Operation<TInput, TOutput>> byKey = operations.ToLookup(o => model.KeyOf(o.Input));
        List<Operation<TInput, TOutput>> everywhere = byKey[null].ToList();
        return new CheckResult(keys.Select(key => new PartitionSearch<TInput, TOutput, TState>(
            model, model.Resolve(byKey[key].Concat(everywhere).OrderBy(o => o.Invocation).ToList()), stepsMax)
            .Run(key)).ToList());
    }
}
