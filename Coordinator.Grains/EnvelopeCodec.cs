using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Raft;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>
/// An <see cref="Envelope"/> on its way to another process. Invariant: what is read is an envelope that a peer could
/// have sent, or it is refused by name; bytes from outside throw nothing.
/// </summary>
public static class EnvelopeCodec
{
    private static readonly MessageParser<PeerEnvelope> Parser = PeerEnvelope.Parser.WithDiscardUnknownFields(true);

    public static byte[] Encode(Envelope envelope) => ToWire(envelope).ToByteArray();

    /// <param name="problem">Null, or what is wrong.</param>
    /// <returns>Null if it is refused.</returns>
    public static Envelope? Decode(ReadOnlySpan<byte> bytes, out string? problem)
    {
        if (UntrustedMessage.TryParse(Parser, bytes, out problem) is { } envelope)
            return EnvelopeReader.Read(envelope, out problem);
        problem = $"No envelope: {problem}";
        return null;
    }

    /// <summary>What <paramref name="envelope"/> is in a frame. Shares its bytes, which nobody changes.</summary>
    /// <param name="withSnapshotData">False: the snapshot's data travels apart from it.</param>
    /// <exception cref="ArgumentException">A message that a peer only sends to itself.</exception>
    public static PeerEnvelope ToWire(Envelope envelope, bool withSnapshotData = true)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        if (envelope.Message.Type.IsLocal())
            throw new ArgumentException($"{envelope.Message.Type} stays within its peer.", nameof(envelope));
        return new PeerEnvelope
        {
            Group = envelope.Group,
            From = envelope.From.Value,
            StorageId = ByteString.CopyFrom(envelope.StorageId.ToByteArray()),
            Epoch = envelope.Epoch,
            To = envelope.To.Value,
            ReceiverEpoch = envelope.ReceiverEpoch,
            CommitIndex = envelope.CommitIndex,
            CommitTerm = envelope.CommitTerm.Value,
            SupportedLevel = envelope.Report.SupportedLevel,
            CheckIndex = envelope.Report.CheckIndex,
            CheckHash = envelope.Report.CheckHash,
            PromisedWriteSeq = envelope.PromisedWriteSeq,
            AtRest = envelope.AtRest,
            StorageSeen = envelope.StorageAnswer is { } answer ? ToWire(answer) : null,
            Message = ToWire(envelope.Message, withSnapshotData),
        };
    }

    /// <summary>What a frame holds, if a peer could have sent it.</summary>
    public static Envelope? FromWire(PeerEnvelope wire, out string? problem) => EnvelopeReader.Read(wire, out problem);

    private static PeerMessage ToWire(Message message, bool withSnapshotData)
    {
        PeerMessage wire = new()
        {
            Type = (int)message.Type,
            To = message.To.Value,
            From = message.From.Value,
            Term = message.Term.Value,
            LogTerm = message.LogTerm.Value,
            Index = message.Index,
            Commit = message.Commit,
            Vote = message.Vote.Value,
            Reject = message.Reject,
            RejectHint = message.RejectHint,
            Context = UnsafeByteOperations.UnsafeWrap(message.Context),
            Snapshot = message.Snapshot is { } snapshot ? ToWire(snapshot, withSnapshotData) : null,
        };
        foreach (Entry entry in message.Entries)
            wire.Entries.Add(ToWire(entry));
        return wire;
    }

    private static StorageSeen ToWire(StorageAnswer answer)
    {
        StorageSeen seen = new() { Epoch = answer.Epoch, WriteSeq = answer.WriteSeq, AppliedIndex = answer.AppliedIndex };
        seen.Voters.AddRange(answer.Voters.Select(peer => peer.Value));
        seen.VotersOutgoing.AddRange(answer.VotersOutgoing.Select(peer => peer.Value));
        return seen;
    }

    private static LogEntry ToWire(in Entry entry) => new()
    {
        Term = entry.Term.Value,
        Index = entry.Index,
        Type = (int)entry.Type,
        Data = UnsafeByteOperations.UnsafeWrap(entry.Data),
        Stamp = entry.Stamp,
    };

    private static PeerSnapshot ToWire(Snapshot snapshot, bool withData)
    {
        PeerConfState members = new() { AutoLeave = snapshot.ConfState.AutoLeave };
        members.Voters.AddRange(snapshot.ConfState.Voters.Select(peer => peer.Value));
        members.Learners.AddRange(snapshot.ConfState.Learners.Select(peer => peer.Value));
        members.VotersOutgoing.AddRange(snapshot.ConfState.VotersOutgoing.Select(peer => peer.Value));
        members.LearnersNext.AddRange(snapshot.ConfState.LearnersNext.Select(peer => peer.Value));
        return new PeerSnapshot
        {
            Index = snapshot.Index,
            Term = snapshot.Term.Value,
            ConfState = members,
            Data = withData ? UnsafeByteOperations.UnsafeWrap(snapshot.Data) : ByteString.Empty,
        };
    }
}
