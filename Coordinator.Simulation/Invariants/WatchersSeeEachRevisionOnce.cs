using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A page has all of the committed revisions from its watcher's position up to its mark, in order and nothing else; and
/// "from now" is no earlier than what anybody had been told before it was asked (rule 22).
/// </summary>
internal sealed class WatchersSeeEachRevisionOnce(Scenario scenario) : Invariant
{
    private readonly List<(string Key, string? Value)> _revisions = [];

    protected override string Name => "watchers see each revision once";

    private long Last => scenario.BaseIndex + _revisions.Count;

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        // A repeat has the revision of the first time.
        if (entry.Command is not { } command || entry.Result.Error != ErrorCode.Ok || entry.Result.Revision <= Last)
            return;
        if (command.PutConfig is { } put)
            _revisions.Add((put.Key, put.Value.ToStringUtf8()));
        else if (command.DeleteConfig is { } delete)
            _revisions.Add((delete.Key, null));
        Require(entry.Result.Revision == Last, () => $"entry {entry.Index} makes revision {entry.Result.Revision} after {Last - 1}");
    }

    public override void WatchAnswered(SimulatedClient client, Watch watch, long floorRevision, WatchPage page)
    {
        string Where() => $"client {client.Number} watches {watch.Config} and is told up to {page.NextRevision}";
        Require(page.Error == ErrorCode.Ok, () => $"{Where()}: {page.Error}");
        Require(page.NextRevision <= Last + 1, () => $"{Where()}, the group is at {Last}");
        long from = watch.Config.FromRevision;
        if (from == 0)
        {
            Require(page.NextRevision > floorRevision, () => $"{Where()}, and somebody knew of {floorRevision} already");
            from = page.NextRevision;
        }
        Require(page.NextRevision >= from, Where);
        IEnumerable<(long, string, string?)> told = page.Events.Select(change => (
            change.Entry.ModifyRevision, change.Entry.Key,
            change.Entry.Version == 0 ? null : change.Entry.Value.ToStringUtf8()));
        Require(told.SequenceEqual(Expected(watch.Config, from, page.NextRevision)), () => $"{Where()}: {page.Events}");
    }

    private IEnumerable<(long, string, string?)> Expected(WatchConfig watch, long from, long to)
    {
        for (long revision = from; revision < to; revision++)
        {
            (string key, string? value) = _revisions[(int)(revision - scenario.BaseIndex - 1)];
            if (watch.IsPrefix ? key.StartsWith(watch.Key, StringComparison.Ordinal) : key == watch.Key)
                yield return (revision, key, value);
        }
    }
}
