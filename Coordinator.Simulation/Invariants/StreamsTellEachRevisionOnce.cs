using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// What the library hands to a program that watches: each revision of what is watched whole, once and in order, from
/// where the watch began, whatever became of connections and however slow the program is; only what was compacted ends it.
/// In the end it has been told all (rule 22).
/// </summary>
internal sealed class StreamsTellEachRevisionOnce(ConfigLedger ledger, Happenings happenings) : Invariant
{
    protected override string Name => "streams tell each revision once";

    public override void WatchBegan(ConfigWatch watch, long nextRevision)
    {
        Require(nextRevision > watch.FloorRevision, () => $"{Where(watch)}: begins with {nextRevision}, and somebody knew of {watch.FloorRevision} already");
        watch.NextRevision = nextRevision;
    }

    public override void ConfigTold(ConfigWatch watch, StreamItem.Revision item)
    {
        Require(watch.NextRevision > 0, () => $"{Where(watch)}: is told of {item.Number} before it has begun");
        // The first mark says where "now" is.
        bool isMark = item.Events.Count == 0;
        Require(item.Number >= watch.NextRevision - (isMark ? 1 : 0), () => $"{Where(watch)}: is told of {item.Number} again");
        ConfigEvent[] expected = [.. ledger.Changes(watch.Config, watch.NextRevision, item.Number + 1)];
        Require(
            item.Events.SequenceEqual(expected),
            () => $"{Where(watch)}: is told up to {item.Number}: {string.Join(' ', item.Events)}; it was {string.Join(' ', expected.AsEnumerable())}");
        watch.NextRevision = item.Number + 1;
        happenings.Count(Happening.StreamTold);
    }

    public override void StreamEnded(LibraryWatch watch, Completion.StreamEnded ended) => Require(
        watch is ConfigWatch config && ended.Code == ErrorCode.Compacted && ended.CompactedRevision >= config.NextRevision,
        () => $"client {watch.Client.Number}: a watch ends with {ended}");

    public override string? Untold(World world)
    {
        ConfigWatch? behind = world.Clients.OfType<LibraryClient>().SelectMany(client => client.Watches).OfType<ConfigWatch>()
            .FirstOrDefault(watch => watch.NextRevision == 0 || ledger.LastChange(watch.Config) >= watch.NextRevision);
        return behind is null ? null : $"{Where(behind)}: is not told of {ledger.LastChange(behind.Config)}";
    }

    private static string Where(ConfigWatch watch) =>
        $"client {watch.Client.Number} watches {watch.Config}, next is {watch.NextRevision}";
}
