using Coordinator.Contracts;
using Coordinator.Simulation.Clients;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A linearizable read reflects all that was answered before it was asked for (Raft §6.4, rule 6), and every read says
/// what was true at the index that it names. The log orders all else, so this is all of linearizability.
/// </summary>
internal sealed class LinearizableReads(CommittedLog log, HoldingLedger ledger, ConfigLedger config) : Invariant
{
    protected override string Name => "linearizable reads";

    public override void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
        long index = answer.Position.Index;
        Require(
            index >= floorIndex,
            () => $"client {client.Number} reads at {index}; when it asked, {floorIndex} had been answered");
        Require(index <= log.LastIndex, () => $"client {client.Number} reads at {index}, the history ends at {log.LastIndex}");
        if (query.GetConfig is { Revision: 0 } get)
            CheckEntries(client, [config.AtIndex(get.Key, index)?.Entry], index, answer);
        else if (query.ListConfig is { Revision: 0 } list)
            CheckList(client, list, index, answer);
        else if (query.QueryCase == Query.QueryOneofCase.GetLock)
            CheckHolders(client, query.GetLock, index, answer);
    }

    private void CheckList(SimulatedClient client, ListConfig list, long index, QueryAnswer answer)
    {
        ConfigEntry?[] entries = [.. config.AllKeys(list.Prefix).Select(key => config.AtIndex(key, index)?.Entry)];
        int count = entries.Count(entry => entry is not null);
        if (list.CountOnly)
            Require(answer.Count == count, () => $"client {client.Number} counts {answer.Count} keys of {list.Prefix} at {index}, there were {count}");
        else
            CheckEntries(client, entries, index, answer);
    }

    private void CheckEntries(SimulatedClient client, IEnumerable<ConfigEntry?> entries, long index, QueryAnswer answer)
    {
        ConfigEntry[] expected = [.. entries.OfType<ConfigEntry>()];
        Require(
            answer.Entries.SequenceEqual(expected),
            () => $"client {client.Number} reads at {index}: {string.Join(' ', answer.Entries)}; it was {string.Join(' ', expected.AsEnumerable())}");
    }

    private void CheckHolders(SimulatedClient client, GetLock query, long index, QueryAnswer answer)
    {
        string tokens = string.Join(' ', ledger.View(query.Kind, query.Name).TokensAt(index));
        string read = answer.Locks.Count > 0 ? string.Join(' ', answer.Locks[0].Holders.Select(holder => holder.Token)) : "";
        Require(tokens == read, () => $"client {client.Number} reads {query} at {index} as held with tokens {read}, they were {tokens}");
    }
}
