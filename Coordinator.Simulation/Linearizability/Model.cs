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

    /// <summary>The operation in words, without its client and times. A null output is an unknown outcome.</summary>
    public virtual string Describe(TInput input, TOutput? output) => $"{input} → {output?.ToString() ?? "?"}";

    public virtual string DescribeState(TState state) => state?.ToString() ?? "nil";
}
