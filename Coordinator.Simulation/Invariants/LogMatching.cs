using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Entries with the same index and term are the same, and so is everything before them (Raft §5.3): each is seen with the
/// term of the one before it, the rest follows step by step.
/// </summary>
internal sealed class LogMatching : Invariant
{
    private readonly Dictionary<(long Index, Term Term), (Entry Entry, Term Before)> _seen = [];

    protected override string Name => "log matching";

    public override void Landing(SimulatedRow before, PeerWrite write)
    {
        if (write.Entries.Count == 0)
            return;
        Term previous = TermBefore(before, write);
        foreach (Entry entry in write.Entries)
        {
            See(entry, previous);
            previous = entry.Term;
        }
    }

    public override void Sending(PeerProcess process, Envelope envelope)
    {
        Message message = envelope.Message;
        if (message.Type != MessageType.App)
            return;
        Term previous = message.LogTerm;
        foreach (Entry entry in message.Entries)
        {
            See(entry, previous);
            previous = entry.Term;
        }
    }

    private static Term TermBefore(SimulatedRow row, PeerWrite write)
    {
        long index = write.Entries[0].Index - 1;
        if (write.Snapshot is { } pointer && pointer.Index == index)
            return pointer.Term;
        return row.TermAt(index) ?? Term.Zero;
    }

    private void See(in Entry entry, Term before)
    {
        if (_seen.TryAdd((entry.Index, entry.Term), (entry, before)))
            return;
        (Entry known, Term knownBefore) = _seen[(entry.Index, entry.Term)];
        bool isSame = known.Type == entry.Type && known.Stamp == entry.Stamp
            && (known.Data.Equals(entry.Data) || known.Data.Span.SequenceEqual(entry.Data.Span));
        Entry seen = entry;
        Require(isSame, () => $"two entries {seen.Index} of term {seen.Term}");
        Require(
            before == knownBefore || before == Term.Zero || knownBefore == Term.Zero,
            () => $"entry {seen.Index} of term {seen.Term} follows term {before} here and {knownBefore} elsewhere");
    }
}
