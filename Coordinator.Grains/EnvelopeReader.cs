using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// Reads an envelope that came from another process. Only what no peer ever sends is refused here; what an envelope
/// means, and whether its sender may say so, is the replica's to judge.
/// </summary>
internal static class EnvelopeReader
{
    private const int StorageIdBytes = 16;

    /// <returns>Null if it is refused; then <paramref name="problem"/> says why.</returns>
    public static Envelope? Read(PeerEnvelope wire, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(wire);
        problem = Problem(wire);
        return problem is not null ? null : new Envelope(
            wire.Group, new PeerId(wire.From), new Guid(wire.StorageId.Span), wire.Epoch, new PeerId(wire.To),
            wire.ReceiverEpoch, new PeerReport(wire.SupportedLevel, wire.CheckIndex, wire.CheckHash), Read(wire.Message))
        {
            CommitIndex = wire.CommitIndex,
            CommitTerm = new Term(wire.CommitTerm),
            PromisedWriteSeq = wire.PromisedWriteSeq,
            AtRest = wire.AtRest,
            StorageAnswer = wire.StorageSeen is { } seen ? Read(seen) : null,
        };
    }

    private static string? Problem(PeerEnvelope wire)
    {
        if (wire.Message is not { } message)
            return "An envelope holds no message.";
        if (wire.StorageId.Length != StorageIdBytes)
            return $"A storage id has {StorageIdBytes} bytes, not {wire.StorageId.Length}.";
        if (!IsPeer(wire.From) || !IsPeer(wire.To))
            return $"An envelope goes from a peer to a peer, not from {wire.From} to {wire.To}.";
        if (wire.Group < 0 || wire.Epoch < 0 || wire.ReceiverEpoch < 0 || wire.CommitIndex < 0 || wire.CommitTerm < 0
            || wire.SupportedLevel < 0 || wire.CheckIndex < 0 || wire.PromisedWriteSeq < 0)
            return "An envelope has a negative number.";
        return Problem(message) ?? SeenProblem(wire) ?? EntryProblem(message) ?? SnapshotProblem(message);
    }

    private static string? Problem(PeerMessage message)
    {
        if (message.Type is < 0 or > byte.MaxValue || !Enum.IsDefined((MessageType)message.Type))
            return $"There is no message type {message.Type}.";
        if (((MessageType)message.Type).IsLocal())
            return $"{(MessageType)message.Type} stays within its peer.";
        if (!IsPeerOrNone(message.To) || !IsPeerOrNone(message.From) || !IsPeerOrNone(message.Vote))
            return "A message names what is no peer.";
        return message.Term < 0 || message.LogTerm < 0 || message.Index < 0 || message.Commit < 0 || message.RejectHint < 0
            ? "A message has a negative number."
            : null;
    }

    private static string? EntryProblem(PeerMessage message)
    {
        bool isAppend = message.Type == (int)MessageType.App;
        for (int i = 0; i < message.Entries.Count; i++)
        {
            LogEntry entry = message.Entries[i];
            if (entry.Type is < 0 or > byte.MaxValue || !Enum.IsDefined((EntryType)entry.Type))
                return $"There is no entry type {entry.Type}.";
            if (entry.Term < 0 || entry.Index < 0)
                return "An entry has a negative number.";
            // Else the log would be given a hole, and would stop the peer.
            if (isAppend && entry.Index - message.Index != i + 1)
                return $"Entry {entry.Index} stands at place {i + 1} after index {message.Index}.";
        }
        return null;
    }

    private static string? SeenProblem(PeerEnvelope wire)
    {
        if ((wire.Message.Type == (int)MessageType.StorageAnswer) != (wire.StorageSeen is not null))
            return "What was seen of storage belongs in a message of its own type, and in no other.";
        if (wire.StorageSeen is not { } seen)
            return null;
        if (seen.Epoch < 0 || seen.WriteSeq < 0 || seen.AppliedIndex < 0)
            return "What was seen of storage has a negative number.";
        return seen.Voters.Concat(seen.VotersOutgoing).All(IsPeer) ? null : "A voter is no peer.";
    }

    private static string? SnapshotProblem(PeerMessage message)
    {
        if ((message.Type == (int)MessageType.Snap) != (message.Snapshot is not null))
            return "A snapshot belongs in a message of its own type, and in no other.";
        if (message.Snapshot is not { } snapshot)
            return null;
        if (snapshot.ConfState is not { } members)
            return "A snapshot says nothing of its group's members.";
        if (snapshot.Index < 0 || snapshot.Term < 0)
            return "A snapshot has a negative number.";
        return members.Voters.Concat(members.Learners).Concat(members.VotersOutgoing).Concat(members.LearnersNext)
            .All(IsPeer) ? null : "A member is no peer.";
    }

    private static StorageAnswer Read(StorageSeen wire) => new(
        wire.Epoch, wire.WriteSeq, wire.AppliedIndex, [.. wire.Voters.Select(id => new PeerId(id))],
        [.. wire.VotersOutgoing.Select(id => new PeerId(id))]);

    private static bool IsPeer(long id) => id > 0 && !new PeerId(id).IsLocalThread;

    private static bool IsPeerOrNone(long id) => id == 0 || IsPeer(id);

    private static Message Read(PeerMessage wire) => new()
    {
        Type = (MessageType)wire.Type,
        To = new PeerId(wire.To),
        From = new PeerId(wire.From),
        Term = new Term(wire.Term),
        LogTerm = new Term(wire.LogTerm),
        Index = wire.Index,
        Entries = ReadEntries(wire),
        Commit = wire.Commit,
        Vote = new PeerId(wire.Vote),
        Snapshot = wire.Snapshot is { } snapshot
            ? new Snapshot(snapshot.Index, new Term(snapshot.Term), Read(snapshot.ConfState), snapshot.Data.Memory)
            : null,
        Reject = wire.Reject,
        RejectHint = wire.RejectHint,
        Context = wire.Context.Memory,
    };

    private static EntrySlice ReadEntries(PeerMessage wire)
    {
        Entry[] entries = new Entry[wire.Entries.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            LogEntry entry = wire.Entries[i];
            entries[i] = new Entry(
                new Term(entry.Term), entry.Index, (EntryType)entry.Type, entry.Data.Memory, entry.Stamp);
        }
        return new EntrySlice(entries, 0, entries.Length);
    }

    private static ConfState Read(PeerConfState wire) => new()
    {
        Voters = [.. wire.Voters.Select(id => new PeerId(id))],
        Learners = [.. wire.Learners.Select(id => new PeerId(id))],
        VotersOutgoing = [.. wire.VotersOutgoing.Select(id => new PeerId(id))],
        LearnersNext = [.. wire.LearnersNext.Select(id => new PeerId(id))],
        AutoLeave = wire.AutoLeave,
    };
}
