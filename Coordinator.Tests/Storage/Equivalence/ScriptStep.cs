using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>An activation, or with <paramref name="From"/> a re-activation, by one of the script's clients.</summary>
internal sealed record Taking(int Client, PeerKey Key, Acknowledged? From);

/// <summary>What a re-activation says that it had (rule 4).</summary>
internal sealed record Acknowledged(long Epoch, long WriteSeq);

/// <summary>Writes that one client sends in one statement.</summary>
internal sealed record Sending(int Client, IReadOnlyList<PeerWrite> Writes)
{
    public override string ToString() => $"client {Client}: {string.Join(" and ", Writes.Select(StorageWords.Of))}";
}

/// <summary>
/// One step of a script, a closed set. Invariant: the step says itself which of its possible ends comes, so that the
/// model and PostgreSQL can be driven to the same one.
/// </summary>
internal abstract record ScriptStep
{
    private ScriptStep()
    {
    }

    internal sealed record Takes(Taking Taking) : ScriptStep;

    /// <summary>It waits for a row that somebody else has locked, until that one lets go.</summary>
    internal sealed record TakesLocked(Taking Taking) : ScriptStep;

    /// <summary>The connection breaks before the request arrives, or before the answer does.</summary>
    internal sealed record TakesUnanswered(Taking Taking, bool IsExecuted) : ScriptStep;

    internal sealed record Writes(Sending Sending) : ScriptStep;

    /// <summary>The connection breaks before the statement arrives, or before the answer does.</summary>
    internal sealed record WritesUnanswered(Sending Sending, bool IsExecuted) : ScriptStep;

    /// <summary>The client gives up while the statement waits in a buffer: <see cref="LateLands"/> executes it.</summary>
    internal sealed record WritesLate(Sending Sending) : ScriptStep;

    internal sealed record LateLands : ScriptStep;

    /// <summary>The server answers with an error.</summary>
    internal sealed record WritesRefused(Sending Sending) : ScriptStep;

    /// <summary>It contradicts itself: not sent at all.</summary>
    internal sealed record WritesNonsense(Sending Sending) : ScriptStep;

    /// <summary>The backend dies when all is done but the commit.</summary>
    internal sealed record WritesKilled(Sending Sending) : ScriptStep;

    /// <summary>The other client takes the peer after the statement's snapshot, before its row lock.</summary>
    internal sealed record WritesOvertaken(Sending Sending, Taking Taking) : ScriptStep;

    /// <summary>The other client takes the peer while the write is about to commit.</summary>
    internal sealed record WritesWhileTaken(Sending Sending, Taking Taking) : ScriptStep;

    /// <summary>The other client writes the same peer while the write is about to commit.</summary>
    internal sealed record WritesWhileWritten(Sending Sending, Sending Other) : ScriptStep;

    /// <summary>The client gives up while the write is about to commit, and takes the peer back.</summary>
    internal sealed record WritesInDoubt(Sending Sending, Taking Taking) : ScriptStep;

    internal sealed record ReadsEpoch(int Client, PeerKey Key) : ScriptStep;

    internal sealed record ReadsEpochUnanswered(int Client, PeerKey Key) : ScriptStep;

    /// <param name="UnansweredIsExecuted">Null: answered.</param>
    internal sealed record WritesChunk(
        int Client, PeerKey Key, long Epoch, long Id, string Data, bool? UnansweredIsExecuted) : ScriptStep;

    internal sealed record DeletesGarbage(int Client, PeerKey Key, SnapshotPointer Keep) : ScriptStep;

    internal sealed record LocksRow(PeerKey Key) : ScriptStep;

    internal sealed record UnlocksRow(PeerKey Key) : ScriptStep;

    internal sealed record RemovesRow(PeerKey Key, bool IsByHand) : ScriptStep;

    internal sealed record TakesBackup : ScriptStep;

    internal sealed record RestoresBackup : ScriptStep;

    internal sealed record GoesDown(bool IsKilled) : ScriptStep;

    internal sealed record ComesUp : ScriptStep;
}
