namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// What an object would do if its operations came one at a time. Invariant: <see cref="TryStep"/> depends on its
/// arguments alone, and states that are equal behave equally.
/// </summary>
/// <typeparam name="TInput">What was asked. Equal inputs are interchangeable to the object.</typeparam>
/// <typeparam name="TOutput">What was answered.</typeparam>
/// <typeparam name="TState">The object's state; compared by value.</typeparam>
internal abstract class Model<TInput, TOutput, TState>
    where TInput : class
    where TOutput : class
{
    /// <summary>Names the model in a history file.</summary>
    public abstract string Name { get; }

    public abstract TState Initial { get; }

    /// <summary>
    /// The object that the operation touches: each key is checked alone. Null: it touches all of them; then each key
    /// sees it at a moment of its own, so that atomicity across keys is not checked.
    /// </summary>
    public abstract string? KeyOf(TInput input);

    /// <summary>
    /// Whether the object in <paramref name="state"/> may answer <paramref name="input"/> with
    /// <paramref name="output"/>, and what it is afterwards. A null output is an unknown outcome: any answer will do.
    /// </summary>
    public abstract bool TryStep(TState state, TInput input, TOutput? output, out TState next);

    /// <summary>
    /// Where the answers themselves tell an order (revisions, tokens): operations with a rank can take effect only with
    /// none of a lower rank left over. Null: the answer tells none. It makes the search short, and changes no verdict.
    /// </summary>
    public virtual Int128? RankOf(TInput input, TOutput? output) => null;

    /// <summary>No operation of a lower rank can follow.</summary>
    public virtual Int128 RankOf(TState state) => Int128.MinValue;

    /// <summary>
    /// Whether all that can follow <paramref name="state"/> can follow <paramref name="other"/> too: then there was no need
    /// for the operations without an answer that led from the one to the other.
    /// </summary>
    public virtual bool IsAsFree(TState other, TState state) => EqualityComparer<TState>.Default.Equals(other, state);

    /// <summary>
    /// The operations of one key with all that their answers tell of each other written into them: as linearizable as
    /// before, and easier to order.
    /// </summary>
    public virtual IReadOnlyList<Operation<TInput, TOutput>> Resolve(IReadOnlyList<Operation<TInput, TOutput>> operations) =>
        operations;

    /// <summary>The operation in words, without its client and times. A null output is an unknown outcome.</summary>
    public virtual string Describe(TInput input, TOutput? output) => $"{input} → {output?.ToString() ?? "?"}";

    public virtual string DescribeState(TState state) => state?.ToString() ?? "nil";
}
