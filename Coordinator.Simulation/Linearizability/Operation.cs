namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// One operation of a history, put together from its events. Invariant: <see cref="Invocation"/> and
/// <see cref="Return"/> are positions in the history, Invocation &lt; Return, and an unknown outcome returns never.
/// </summary>
internal sealed record Operation<TInput, TOutput>(
    int Id, int Client, TInput Input, TOutput? Output, int Invocation, int Return, long InvokedUs, long? ReturnedUs)
    where TInput : class
    where TOutput : class
{
    public const int Never = int.MaxValue;

    public bool OutcomeIsKnown => Output is not null;

    /// <summary>
    /// The operations of a history, ordered by invocation, without those that certainly had no effect.
    /// </summary>
    /// <exception cref="FormatException">The events are no history: ends without invocations, or twice.</exception>
    public static List<Operation<TInput, TOutput>> FromHistory(IReadOnlyList<HistoryEvent<TInput, TOutput>> history)
    {
        List<Operation<TInput, TOutput>?> operations = [];
        Dictionary<int, int> indexById = [];
        HashSet<int> ended = [];
        for (int position = 0; position < history.Count; position++)
        {
            HistoryEvent<TInput, TOutput> now = history[position];
            if (now is HistoryEvent<TInput, TOutput>.Invoked invoked)
            {
                if (!indexById.TryAdd(now.Operation, operations.Count))
                    throw new FormatException($"Event {position}: operation {now.Operation} is invoked twice.");
                operations.Add(new(invoked.Operation, invoked.Client, invoked.Input, null,
                    position, Never, invoked.AtUs, null));
                continue;
            }
            if (!indexById.TryGetValue(now.Operation, out int index) || !ended.Add(now.Operation))
                throw new FormatException($"Event {position}: operation {now.Operation} ends, but is not running.");
            operations[index] = now switch
            {
                HistoryEvent<TInput, TOutput>.Returned returned => operations[index]! with
                {
                    Output = returned.Output,
                    Return = position,
                    ReturnedUs = returned.AtUs,
                },
                HistoryEvent<TInput, TOutput>.HadNoEffect => null,
                _ => operations[index],
            };
        }
        return operations.OfType<Operation<TInput, TOutput>>().ToList();
    }
}
