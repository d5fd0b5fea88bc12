using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>What only a leader does with an election: it publishes, and it names its successor.</summary>
internal sealed partial class HoldingTable
{
    public OperationResult Proclaim(Session session, Proclaim proclaim)
    {
        if (FindHeld(session, HoldingKind.Election, proclaim.Name, proclaim.Token, 0, out _) is not { } held)
            return OperationResult.Refused(ErrorCode.LockNotHeld);
        held.Claim.Value = proclaim.Value;
        NoteElection(held.Resource);
        return OperationResult.Done(held.Claim.Token);
    }

    /// <summary>The leader resigns, and the candidate is granted by the same entry, whatever its place in line.</summary>
    public OperationResult HandOver(Session session, HandOver handOver, in ApplyContext context)
    {
        if (FindHeld(session, HoldingKind.Election, handOver.Name, handOver.Token, 0, out _) is not { } held)
            return OperationResult.Refused(ErrorCode.LockNotHeld);
        LinkedList<ClaimPart> line = held.Resource.Queue;
        LinkedListNode<ClaimPart>? candidate = line.First;
        while (candidate is not null && candidate.Value.Claim.Session!.Id != handOver.ToSessionId)
            candidate = candidate.Next;
        if (candidate is null)
            return OperationResult.Refused(ErrorCode.CandidateNotFound);
        line.Remove(candidate);
        line.AddFirst(candidate);
        EndPart(held, context);
        return new OperationResult(ErrorCode.Ok, Outcome.Released, held.Claim.Token);
    }
}
