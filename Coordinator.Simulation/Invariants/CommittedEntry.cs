using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Simulation.Invariants;

/// <summary>One entry of the group's history, and what came of applying it.</summary>
internal sealed class CommittedEntry
{
    public required Entry Entry { get; init; }

    public required Command? Command { get; init; }

    public required CommandResult Result { get; init; }

    public required long WaitIndex { get; init; }

    public required WaitEnded[] WaitsEnded { get; init; }

    public required EndedSession[] SessionsEnded { get; init; }

    /// <summary>Of the state after it; null: only a replica whose storage was altered has applied it yet.</summary>
    public ulong? Hash { get; set; }

    /// <summary>The membership that it made; null: it left it as it was.</summary>
    public required GroupMembership? Membership { get; init; }

    /// <summary>The term of the replica that applied it first: it was committed in this term or an earlier one.</summary>
    public required Term AppliedInTerm { get; init; }

    public required long AppliedAtUs { get; init; }

    public long Index => Entry.Index;
}
