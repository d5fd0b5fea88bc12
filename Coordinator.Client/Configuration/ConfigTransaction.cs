using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// A transaction that is put together, then executed: if all checks hold, the steps of Then are done, otherwise those
/// of Else; all of them as one revision, or none. At most 128 checks and steps, of keys in one group: in a cluster of
/// several a common namespace, such as "orders/…", sees to it; others are refused with
/// <see cref="ErrorCode.SpansGroups"/>. Not thread-safe.
/// </summary>
/// <example><code>
/// TransactionResult result = await client.Configuration.Transaction()
///     .If(Check.Version("shop/stock/42").Is(3), Check.Missing("shop/orders/7"))
///     .Then(Step.Put("shop/stock/42", "11"), Step.Put("shop/orders/7", "1 of 42"))
///     .Else(Step.Get("shop/stock/42"))
///     .ExecuteAsync();
/// </code></example>
public class ConfigTransaction
{
    private readonly CoordinatorConfiguration _configuration;
    private readonly Transaction _transaction = new();

    internal ConfigTransaction(CoordinatorConfiguration configuration) => _configuration = configuration;

    protected ConfigTransaction() => _configuration = null!;

    /// <summary>All must hold; none at all: Then is done.</summary>
    public ConfigTransaction If(params ReadOnlySpan<Check> checks)
    {
        foreach (Check check in checks)
            _transaction.Compares.Add(check.Compare);
        return this;
    }

    public ConfigTransaction Then(params ReadOnlySpan<Step> steps)
    {
        foreach (Step step in steps)
            _transaction.Then.Add(step.Operation);
        return this;
    }

    public ConfigTransaction Else(params ReadOnlySpan<Step> steps)
    {
        foreach (Step step in steps)
            _transaction.Else.Add(step.Operation);
        return this;
    }

    /// <summary>
    /// Executes it once, however often it has to be sent; a second call is another transaction. Checks that don't hold
    /// are no error: see <see cref="TransactionResult.Succeeded"/>.
    /// </summary>
    /// <exception cref="ArgumentException">It is not one that any cluster would execute.</exception>
    /// <exception cref="CoordinatorException">It was refused, and nothing was done.</exception>
    /// <exception cref="CoordinatorOutcomeUnknownException">It may or may not have been executed.</exception>
    public virtual async Task<TransactionResult> ExecuteAsync(CancellationToken cancellationToken = default)
    {
        Command command = new() { Transaction = _transaction.Clone() };
        // Its session is not known yet; whether there is one is all that matters here.
        Command checkedCommand = new() { Transaction = command.Transaction, SessionId = 1 };
        if (CommandRules.Check(checkedCommand) is { } problem)
            throw new ArgumentException($"{problem.Code}. {problem.Message}");
        Scope scope = ScopeOf(command.Transaction);
        CommandAnswer answer = await _configuration.WriteAsync(command, scope, cancellationToken).ConfigureAwait(false);
        return TransactionResult.Of(command.Transaction, answer);
    }

    private static Scope ScopeOf(Transaction transaction)
    {
        List<string> keys = [.. transaction.Compares.Select(compare => compare.Key)];
        List<string> prefixes = [];
        foreach (Contracts.ConfigOperation step in transaction.Then.Concat(transaction.Else))
        {
            if (step.DeletePrefix is { } delete)
                prefixes.Add(delete.Prefix);
            else
                keys.Add(step.Put?.Key ?? step.Delete?.Key ?? step.Get.Key);
        }
        return Scope.Of(keys, prefixes);
    }
}
