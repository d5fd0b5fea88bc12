using Coordinator.Contracts;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// After a roll-back each key of the prefix has the value that it had at the revision, or is gone if it had none; but keys
/// that are bound to a session stay as they are, and come back from no revision. It is refused only if that can't be read.
/// </summary>
internal sealed class RollBackRestores(ConfigLedger ledger) : Invariant
{
    private readonly Dictionary<string, ConfigEntry> _bound = new(StringComparer.Ordinal);
    private RollBackConfig? _rollBack;

    protected override string Name => "a roll-back restores";

    public override void Configuring(CommittedEntry entry)
    {
        _rollBack = entry.Result.Error == ErrorCode.Ok ? entry.Command!.RollBackConfig : null;
        if (entry.Command!.RollBackConfig is not { } asked)
            return;
        _bound.Clear();
        foreach (string key in ledger.Keys(asked.Prefix))
        {
            if (ledger.Find(key) is { SessionId: not 0 } bound)
                _bound.Add(key, bound);
        }
        ErrorCode expected = asked.Revision > ledger.Revision ? ErrorCode.RevisionInFuture
            : asked.Revision < ledger.Compacted ? ErrorCode.Compacted
            : ErrorCode.Ok;
        Require(
            entry.Result.Error == expected || (expected == ErrorCode.Ok && entry.Result.Error == ErrorCode.TooManyKeys),
            () => $"entry {entry.Index} rolls back to {asked.Revision}: {entry.Result.Error} instead of {expected}");
    }

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        if (_rollBack is not { } rollBack)
            return;
        _rollBack = null;
        if (process.Owner.IsAltered)
            return;
        foreach (string key in ledger.AllKeys(rollBack.Prefix))
        {
            ConfigEntry? then = ledger.AtRevision(key, rollBack.Revision)?.Entry;
            ConfigEntry? expected = _bound.TryGetValue(key, out ConfigEntry? bound) ? bound : then is { SessionId: not 0 } ? null : then;
            ConfigRecord? now = process.Machine!.State.Config.Find(key);
            bool isSame = expected is null
                ? now is null
                : now is not null && now.Value.Equals(expected.Value) && now.ContentType == expected.ContentType
                    && now.SessionId == expected.SessionId;
            Require(isSame, () => $"entry {entry.Index} rolls back to {rollBack.Revision}: {key} is at {now?.ModifyRevision.ToString() ?? "none"}, and was {expected?.ToString() ?? "not there"}");
        }
    }
}
