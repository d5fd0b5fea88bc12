namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// Acquires whose outcome nobody heard, and what looks tell of them. A session that is seen to hold a lock with a token of
/// which no answer tells got it by one of them: if there is but one, this was its answer.
/// </summary>
internal static class UnheardAcquires
{
    public static IReadOnlyList<Operation<LockInput, LockOutput>> Resolve(
        IReadOnlyList<Operation<LockInput, LockOutput>> operations)
    {
        HashSet<long> heard = operations.Select(o => o.Output).OfType<LockOutput.Granted>().Select(g => g.Token).ToHashSet();
        ILookup<long, Operation<LockInput, LockOutput>> unheard = operations
            .Where(o => o is { OutcomeIsKnown: false, Input: LockInput.Acquire })
            .ToLookup(o => ((LockInput.Acquire)o.Input).Session);
        Dictionary<int, Operation<LockInput, LockOutput>> resolved = [];
        foreach (Operation<LockInput, LockOutput> look in operations.OrderBy(o => o.Return))
        {
            if (look.Output is not LockOutput.Holder holder || !heard.Add(holder.Token))
                continue;
            if (unheard[holder.Session].ToList() is [{ } only] && only.Invocation < look.Return)
                resolved.TryAdd(only.Id, only with { Output = new LockOutput.Granted(holder.Token), Return = look.Return });
        }
        return operations.Select(o => resolved.GetValueOrDefault(o.Id, o)).ToList();
    }
}
