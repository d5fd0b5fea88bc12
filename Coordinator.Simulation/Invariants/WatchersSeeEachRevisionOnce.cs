using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A page has all that the committed revisions from its watcher's position up to its mark did to what is watched, in order
/// and nothing else; "from now" is no earlier than what anybody had been told before it was asked; and only what was
/// compacted is refused (rule 22).
/// </summary>
internal sealed class WatchersSeeEachRevisionOnce(ConfigLedger ledger, Happenings happenings) : Invariant
{
    protected override string Name => "watchers see each revision once";

    public override void WatchAnswered(SimulatedClient client, Watch watch, long floorRevision, WatchPage page)
    {
        WatchConfig config = watch.Config;
        string Where() => $"client {client.Number} watches {config} and is told up to {page.NextRevision} at {page.Position.Index}";
        long compacted = ledger.CompactedAt(page.Position.Index);
        if (page.Error == ErrorCode.Compacted)
        {
            happenings.Count(Happening.WatchCompacted);
            Require(config.FromRevision != 0 && config.FromRevision <= compacted, () => $"{Where()}: Compacted, and it was not");
            Require(page.CompactedRevision == compacted, () => $"{Where()}: compacted up to {page.CompactedRevision}, it was {compacted}");
            return;
        }
        Require(page.Error == ErrorCode.Ok, () => $"{Where()}: {page.Error}");
        long last = ledger.RevisionAt(page.Position.Index);
        Require(page.NextRevision <= last + 1, () => $"{Where()}, the group was at {last}");
        long from = config.FromRevision;
        if (from == 0)
        {
            Require(page.NextRevision > floorRevision, () => $"{Where()}, and somebody knew of {floorRevision} already");
            from = page.NextRevision;
        }
        Require(page.NextRevision >= from, Where);
        ConfigEvent[] expected = [.. ledger.Changes(config, from, page.NextRevision)];
        Require(page.Events.SequenceEqual(expected), () => $"{Where()}: {page.Events}; it was {string.Join(' ', expected.AsEnumerable())}");
        happenings.Count(expected.Length > 0 ? Happening.WatchTold : Happening.WatchMarked);
    }
}
