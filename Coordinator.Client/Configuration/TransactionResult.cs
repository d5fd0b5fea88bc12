using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>What became of a transaction.</summary>
public sealed record TransactionResult
{
    /// <summary>All checks held and Then was done; otherwise Else was.</summary>
    public bool Succeeded { get; init; }

    /// <summary>Of the group, after the transaction; one more than before if it changed anything.</summary>
    public long Revision { get; init; }

    /// <summary>Whose revision it is.</summary>
    public int Group { get; init; }

    /// <summary>
    /// One for each step of the branch that was done, in order. Null: it was done, but the connection was lost before
    /// the answer came, and the cluster keeps only whether and at which revision. What the steps read can be read
    /// again: <see cref="ReadOptions.Revision"/>.
    /// </summary>
    public IReadOnlyList<StepResult>? Results { get; init; }

    internal static TransactionResult Of(Transaction transaction, CommandAnswer answer)
    {
        CommandResult result = answer.Result;
        bool succeeded = result.Outcome != Outcome.DoneElse;
        int steps = (succeeded ? transaction.Then : transaction.Else).Count;
        return new TransactionResult
        {
            Succeeded = succeeded,
            Revision = result.Revision,
            Group = answer.Position?.Group ?? 0,
            Results = result.Operations.Count == steps
                ? [.. result.Operations.Select(operation => StepResult.Of(operation, answer.Position))]
                : null,
        };
    }
}

/// <summary>What one step did or found.</summary>
/// <param name="Version">Of the key that was put; otherwise 0.</param>
/// <param name="DeletedKeys">How many keys a deletion found.</param>
/// <param name="Entry">What a get found; null: no such key, or no get.</param>
public sealed record StepResult(long Version, long DeletedKeys, ConfigEntry? Entry)
{
    internal static StepResult Of(ConfigOperationResult result, Position? position) => new(
        result.Version, result.DeletedKeys, result.Entry is { } entry ? ConfigEntry.Of(entry, position) : null);
}
