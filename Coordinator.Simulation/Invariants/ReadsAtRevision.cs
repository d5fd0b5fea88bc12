using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A read at a revision gives, on any replica, exactly what the log says was so at it; Compacted only if it was compacted at
/// the index that the answer names; and that it is in the future only if the group, not the replica alone, had not come so
/// far (rule 22).
/// </summary>
internal sealed class ReadsAtRevision(ConfigLedger ledger, Happenings happenings) : Invariant
{
    protected override string Name => "reads at a revision";

    public override void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
        long revision = query.GetConfig?.Revision ?? query.ListConfig?.Revision ?? 0;
        if (revision == 0)
            return;
        string asked = $"client {client.Number} reads {query} at {answer.Position.Index}";
        CheckFuture(query, revision, floorIndex, answer, asked);
        long compacted = ledger.CompactedAt(answer.Position.Index);
        Require(
            answer.Error == ErrorCode.Compacted == revision < compacted,
            () => $"{asked}: {answer.Error}, it was compacted up to {compacted}");
        if (answer.Error == ErrorCode.Compacted)
        {
            happenings.Count(Happening.ReadCompacted);
            Require(answer.CompactedRevision == compacted, () => $"{asked}: compacted up to {answer.CompactedRevision}, it was {compacted}");
        }
        else if (answer.Error is ErrorCode.Ok or ErrorCode.KeyNotFound)
        {
            happenings.Count(Happening.ReadAtRevision);
            CheckContents(query, revision, answer, asked);
        }
    }

    private void CheckFuture(Query query, long revision, long floorIndex, QueryAnswer answer, string asked)
    {
        bool isFuture = revision > ledger.RevisionAt(answer.Position.Index);
        Require(answer.Error == ErrorCode.RevisionInFuture == isFuture, () => $"{asked}: {answer.Error}, the group was at {ledger.RevisionAt(answer.Position.Index)}");
        if (!isFuture)
            return;
        happenings.Count(Happening.ReadInFuture);
        Require(!query.Serializable, () => $"{asked}: in the future, by a replica that speaks for itself");
        Require(revision > ledger.RevisionAt(floorIndex), () => $"{asked}: in the future, and was acknowledged when it was asked for");
    }

    private void CheckContents(Query query, long revision, QueryAnswer answer, string asked)
    {
        ConfigEntry?[] all = query.GetConfig is { } get
            ? [ledger.AtRevision(get.Key, revision)?.Entry]
            : [.. ledger.AllKeys(query.ListConfig.Prefix).Select(key => ledger.AtRevision(key, revision)?.Entry)];
        ConfigEntry[] expected = [.. all.OfType<ConfigEntry>()];
        if (query.ListConfig is { CountOnly: true })
            Require(answer.Count == expected.Length, () => $"{asked}: {answer.Count} keys, there were {expected.Length}");
        else
            Require(answer.Entries.SequenceEqual(expected), () => $"{asked}: {string.Join(' ', answer.Entries)}; it was {string.Join(' ', expected.AsEnumerable())}");
    }
}
