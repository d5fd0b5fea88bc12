using System.Globalization;
using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Google.Protobuf;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A linearizable read reflects all that was answered before it was asked for (Raft §6.4, rule 6), and every read says
/// what was true at the index that it names. The log orders all else, so this is all of linearizability.
/// </summary>
internal sealed class LinearizableReads(CommittedLog log, HoldingLedger ledger) : Invariant
{
    private readonly Dictionary<string, List<(long Index, ByteString? Value, long Revision)>> _values = new(StringComparer.Ordinal);

    protected override string Name => "linearizable reads";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        if (entry.Command is not { } command || entry.Result.Error != ErrorCode.Ok)
            return;
        if (command.OperationCase == Command.OperationOneofCase.PutConfig)
            Set(command.PutConfig.Key, entry, command.PutConfig.Value);
        else if (command.OperationCase == Command.OperationOneofCase.DeleteConfig)
            Set(command.DeleteConfig.Key, entry, null);
    }

    public override void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
        long index = answer.Position.Index;
        Require(
            index >= floorIndex,
            () => $"client {client.Number} reads at {index}; when it asked, {floorIndex} had been answered");
        Require(index <= log.LastIndex, () => $"client {client.Number} reads at {index}, the history ends at {log.LastIndex}");
        if (query.QueryCase == Query.QueryOneofCase.GetConfig)
            CheckValue(client, query.GetConfig.Key, index, answer);
        else if (query.QueryCase == Query.QueryOneofCase.GetLock)
            CheckHolders(client, query.GetLock, index, answer);
    }

    private void CheckValue(SimulatedClient client, string key, long index, QueryAnswer answer)
    {
        (long _, ByteString? value, long revision) = At(key, index);
        ConfigEntry? read = answer.Entries.Count > 0 ? answer.Entries[0] : null;
        bool isSame = value is null
            ? read is null
            : read is not null && read.Value.Equals(value) && read.ModifyRevision == revision;
        Require(isSame, () => $"client {client.Number} reads {key} at {index} as revision {read?.ModifyRevision.ToString(CultureInfo.InvariantCulture) ?? "none"}, it was {revision}");
    }

    private void CheckHolders(SimulatedClient client, GetLock query, long index, QueryAnswer answer)
    {
        string tokens = string.Join(' ', ledger.View(query.Kind, query.Name).TokensAt(index));
        string read = answer.Locks.Count > 0 ? string.Join(' ', answer.Locks[0].Holders.Select(holder => holder.Token)) : "";
        Require(tokens == read, () => $"client {client.Number} reads {query} at {index} as held with tokens {read}, they were {tokens}");
    }

    private void Set(string key, CommittedEntry entry, ByteString? value)
    {
        if (!_values.TryGetValue(key, out List<(long Index, ByteString? Value, long Revision)>? versions))
            _values.Add(key, versions = []);
        // A repeated request answers with its first revision, and changes nothing.
        if (versions.Count == 0 || entry.Result.Revision > versions.Max(version => version.Revision))
            versions.Add((entry.Index, value, entry.Result.Revision));
    }

    private (long Index, ByteString? Value, long Revision) At(string key, long index)
    {
        if (_values.TryGetValue(key, out List<(long Index, ByteString? Value, long Revision)>? versions))
        {
            for (int i = versions.Count - 1; i >= 0; i--)
            {
                if (versions[i].Index <= index)
                    return versions[i];
            }
        }
        return default;
    }
}
