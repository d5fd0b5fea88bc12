using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Votes, vote requests and acknowledgements leave only after the term, vote and log that they name are in the database
/// (rule 5).
/// </summary>
internal sealed class AckedIsDurable : Invariant
{
    protected override string Name => "acknowledged is durable";

    public override void Sending(PeerProcess process, Envelope envelope)
    {
        Message message = envelope.Message;
        // Once another activation has taken over, the row may have gone on from what was true of this one.
        if (process.Owner.IsLost || process.Owner.Database.Find(process.Owner.Key) is not { } row || row.Epoch != envelope.Epoch)
            return;
        switch (message)
        {
            case { Type: MessageType.AppResp, Reject: false }:
                Require(row.HardState.Term >= message.Term, () => $"{Say(envelope)}: term {row.HardState.Term} is stored");
                // One write may hold a term's entries back and a later term's in their place: as if both had been written.
                Require(
                    row.LastIndex >= message.Index || row.HardState.Term > message.Term,
                    () => $"{Say(envelope)}: the stored log ends at {row.LastIndex}");
                break;
            case { Type: MessageType.VoteResp, Reject: false }:
                RequireVote(row, envelope, message.To);
                break;
            case { Type: MessageType.Vote }:
                RequireVote(row, envelope, process.Peer);
                // Overtaken by the leader whom others have elected meanwhile, whose entries were in the same write.
                bool isOver = process.Machine!.Raft.State != RaftState.Candidate || process.Machine.Raft.Term != message.Term;
                Require(
                    row.TermAt(message.Index) == message.LogTerm || isOver,
                    () => $"{Say(envelope)}: the stored entry {message.Index} has term {row.TermAt(message.Index)}");
                break;
        }
    }

    private void RequireVote(SimulatedRow row, Envelope envelope, PeerId vote)
    {
        HardState stored = row.HardState;
        Term term = envelope.Message.Term;
        Require(
            stored.Term > term || (stored.Term == term && stored.Vote == vote),
            () => $"{Say(envelope)}: term {stored.Term} and vote {stored.Vote} are stored");
    }

    private static string Say(Envelope envelope) =>
        $"peer {envelope.From}.{envelope.Epoch} sends {envelope.Message.Type} to {envelope.To}, term {envelope.Message.Term}, index {envelope.Message.Index}";
}
