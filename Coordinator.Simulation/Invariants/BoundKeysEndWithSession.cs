using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A key that is bound to a session ends in the entry that ends the session: no replica has it after that, and nobody reads
/// it from a later state. That all of a session's keys end in one revision is part of <see cref="RevisionsRiseByOne"/>.
/// </summary>
internal sealed class BoundKeysEndWithSession : Invariant
{
    private readonly Dictionary<long, long> _endIndex = [];

    protected override string Name => "bound keys end with their session";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        foreach (EndedSession ended in entry.SessionsEnded)
            _endIndex.TryAdd(ended.SessionId, entry.Index);
        Check(process, entry);
    }

    public override void Applied(PeerProcess process, CommittedEntry known, in Entry entry, in ApplyResult result, ulong hash) =>
        Check(process, known);

    public override void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
        if (query.GetConfig is { Revision: not 0 } || query.ListConfig is { Revision: not 0 })
            return;
        foreach (ConfigEntry entry in answer.Entries)
        {
            bool isOver = _endIndex.TryGetValue(entry.SessionId, out long endIndex) && endIndex <= answer.Position.Index;
            Require(!isOver, () => $"client {client.Number} reads {entry.Key} at {answer.Position.Index}, its session {entry.SessionId} ended at {endIndex}");
        }
    }

    private void Check(PeerProcess process, CommittedEntry entry)
    {
        if (process.Owner.IsAltered)
            return;
        foreach (EndedSession ended in entry.SessionsEnded)
        {
            IReadOnlySet<string> keys = process.Machine!.State.Config.KeysOf(ended.SessionId);
            Require(keys.Count == 0, () => $"peer {process.Peer} has {string.Join(' ', keys)} of session {ended.SessionId}, which ended at {entry.Index}");
        }
    }
}
