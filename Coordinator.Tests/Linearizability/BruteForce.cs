using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

/// <summary>
/// The definition itself, for small histories: tries every order that keeps real time, with no memory and no
/// cleverness, and shares nothing with the checker but the model.
/// </summary>
internal static class BruteForce
{
    public static bool IsLinearizable<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, IReadOnlyList<Operation<TInput, TOutput>> operations)
        where TInput : class
        where TOutput : class =>
        Extends(model, model.Initial, operations);

    /// <summary>Whether an order obeys the model and real time, and leaves out unknown outcomes only.</summary>
    public static bool IsWitness<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, IReadOnlyList<Operation<TInput, TOutput>> operations,
        IReadOnlyList<int> order)
        where TInput : class
        where TOutput : class
    {
        TState state = model.Initial;
        List<Operation<TInput, TOutput>> left = operations.ToList();
        foreach (int id in order)
        {
            Operation<TInput, TOutput>? next = left.Find(o => o.Id == id);
            if (next is null || left.Any(o => o.Return < next.Invocation)
                || !model.TryStep(state, next.Input, next.Output, out state))
                return false;
            left.Remove(next);
        }
        return left.TrueForAll(o => !o.OutcomeIsKnown);
    }

    private static bool Extends<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, TState state, IReadOnlyList<Operation<TInput, TOutput>> left)
        where TInput : class
        where TOutput : class
    {
        if (left.All(o => !o.OutcomeIsKnown))
            return true;
        foreach (Operation<TInput, TOutput> next in left)
        {
            if (!left.Any(o => o.Return < next.Invocation)
                && model.TryStep(state, next.Input, next.Output, out TState after)
                && Extends(model, after, left.Where(o => o != next).ToList()))
                return true;
        }
        return false;
    }
}
