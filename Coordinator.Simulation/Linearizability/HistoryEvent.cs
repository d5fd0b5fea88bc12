namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// One line of a history. The order of the lines is the order in time; <paramref name="AtUs"/>, in microseconds, is
/// for the reader. Invariant of a history: an operation is invoked once, and ends at most once, afterwards.
/// </summary>
internal abstract record HistoryEvent<TInput, TOutput>(int Operation, long AtUs)
    where TInput : class
    where TOutput : class
{
    public sealed record Invoked(int Operation, long AtUs, int Client, TInput Input)
        : HistoryEvent<TInput, TOutput>(Operation, AtUs);

    public sealed record Returned(int Operation, long AtUs, TOutput Output)
        : HistoryEvent<TInput, TOutput>(Operation, AtUs);

    /// <summary>
    /// The client stopped waiting: the operation may take effect at any time after its invocation, also after this
    /// line, or never. An operation without an end means the same.
    /// </summary>
    public sealed record GaveUp(int Operation, long AtUs) : HistoryEvent<TInput, TOutput>(Operation, AtUs);

    /// <summary>The operation certainly had no effect and will have none: the checker leaves it out.</summary>
    public sealed record HadNoEffect(int Operation, long AtUs) : HistoryEvent<TInput, TOutput>(Operation, AtUs);
}
