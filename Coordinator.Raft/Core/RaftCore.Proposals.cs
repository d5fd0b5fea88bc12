using Coordinator.Raft.Log;

namespace Coordinator.Raft.Core;

/// <summary>How entries get into the log: a leader appends them, a follower may send them on (Raft §5.3, §8).</summary>
internal sealed partial class RaftCore
{
    public ProposalResult Propose(ReadOnlySpan<Proposal> proposals)
    {
        if (State != RaftState.Leader)
        {
            return Forward(new Message { Type = MessageType.Prop, From = Id, Entries = ToEntries(proposals) });
        }

        if (LeaderRefusal() is { } refusal)
        {
            return refusal;
        }

        long bytes = 0;
        foreach (ref readonly Proposal proposal in proposals)
        {
            bytes += proposal.Data.Length;
        }

        if (!_uncommitted.TryAdd(bytes))
        {
            return ProposalResult.UncommittedLimit;
        }

        foreach (ref readonly Proposal proposal in proposals)
        {
            AppendOwn(EntryType.Normal, proposal.Data, proposal.Stamp);
        }

        AcknowledgeOwnAppend();
        BroadcastAppend();
        return ProposalResult.Appended;
    }

    public ProposalResult Propose(EntryType type, ReadOnlyMemory<byte> data) =>
        Propose(new Message
        {
            Type = MessageType.Prop,
            From = Id,
            Entries = [new Entry(Term.Zero, 0, type, data)],
        });

    private ProposalResult Propose(Message message) =>
        State == RaftState.Leader ? LeaderRefusal() ?? Append(message.Entries) : Forward(message);

    private ProposalResult? LeaderRefusal() =>
        !_tracker.Peers.Contains(Id) ? ProposalResult.NotInConfiguration
        : !LeadTransferee.IsNone ? ProposalResult.Transferring
        : null;

    private ProposalResult Forward(Message message)
    {
        if (Leader.IsNone)
        {
            return ProposalResult.NoLeader;
        }

        if (_options.DisableProposalForwarding)
        {
            return ProposalResult.ForwardingDisabled;
        }

        Send(message with { To = Leader });
        return ProposalResult.Forwarded;
    }

    private static EntrySlice ToEntries(ReadOnlySpan<Proposal> proposals)
    {
        Entry[] entries = new Entry[proposals.Length];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new Entry(Term.Zero, 0, EntryType.Normal, proposals[i].Data, proposals[i].Stamp);
        }

        return new EntrySlice(entries, 0, entries.Length);
    }

    private ProposalResult Append(EntrySlice entries)
    {
        if (!_uncommitted.TryAdd(EntrySize.Payload(entries.Span)))
        {
            return ProposalResult.UncommittedLimit;
        }

        foreach (ref readonly Entry entry in entries.Span)
        {
            if (entry.Type == EntryType.Normal || AdmitsConfChange(entry))
            {
                AppendOwn(entry.Type, entry.Data, entry.Stamp);
            }
            else
            {
                // A refused change keeps its place in the log, so that the caller's indexes hold, and does nothing.
                AppendOwn(EntryType.Normal, data: default, entry.Stamp);
            }
        }

        AcknowledgeOwnAppend();
        BroadcastAppend();
        return ProposalResult.Appended;
    }

    private void AppendOwn(EntryType type, ReadOnlyMemory<byte> data, long stamp) =>
        Log.AppendOwn(new Entry(Term, Log.LastIndex + 1, type, data, stamp));

    /// <summary>
    /// The leader counts for a quorum too, but only once its own write is durable: this comes back then.
    /// </summary>
    private void AcknowledgeOwnAppend() => SendAppendAnswer(Id, Log.LastIndex);
}
