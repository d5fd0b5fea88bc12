using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Conformance;

/// <summary>Prints what a node does in the words of the transcripts.</summary>
internal static class TranscriptText
{
    public static string Of(Ready ready)
    {
        StringBuilder text = new();
        if (ready.SoftState is { } soft)
        {
            text.Append($"Lead:{soft.Leader} State:State{soft.State}\n");
        }

        if (!ready.HardState.IsEmpty)
        {
            text.Append($"HardState {Of(ready.HardState)}\n");
        }

        if (ready.ReadStates.Count > 0)
        {
            text.Append($"ReadStates [{string.Join(' ', ready.ReadStates.Select(Of))}]\n");
        }

        AppendEntries(text, "Entries", ready.Entries);
        if (ready.Snapshot is { } snapshot)
        {
            text.Append($"Snapshot {Of(snapshot)}\n");
        }

        AppendEntries(text, "CommittedEntries", ready.CommittedEntries);
        if (ready.Messages.Count > 0)
        {
            text.Append("Messages:\n");
            foreach (Message message in ready.Messages)
            {
                text.Append(Of(message)).Append('\n');
            }
        }

        return text.Length == 0 ? "<empty Ready>" : $"Ready MustSync={Of(ready.MustSync)}:\n{text}";
    }

    public static string Of(Message message, string indent = "")
    {
        StringBuilder text = new();
        text.Append($"{indent}{Of(message.From)}->{Of(message.To)} Msg{message.Type} ");
        text.Append($"Term:{message.Term} Log:{message.LogTerm}/{message.Index}");
        text.Append(message.Reject ? $" Rejected (Hint: {message.RejectHint})" : "");
        text.Append(message.Commit == 0 ? "" : $" Commit:{message.Commit}");
        text.Append(message.Vote.IsNone ? "" : $" Vote:{message.Vote}");
        if (message.Entries.Count == 1)
        {
            text.Append($" Entries:[{Of(message.Entries[0])}]");
        }
        else if (message.Entries.Count > 1)
        {
            text.Append(" Entries:[");
            foreach (Entry entry in message.Entries)
            {
                text.Append($"\n{indent}  {Of(entry)}");
            }

            text.Append($"\n{indent}]");
        }

        text.Append(message.Snapshot is { } snapshot ? $"\n{indent}  Snapshot: {Of(snapshot)}" : "");
        if (message.Responses.Count > 0)
        {
            text.Append(" Responses:[");
            foreach (Message response in message.Responses)
            {
                text.Append('\n').Append(Of(response, indent + "  "));
            }

            text.Append($"\n{indent}]");
        }

        return text.ToString();
    }

    public static string Of(in Entry entry)
    {
        string data = entry.Type == EntryType.Normal
            ? $"\"{Encoding.UTF8.GetString(entry.Data.Span)}\""
            : ConfChangeText.Of(ConfChangeV2.Decode(entry.Data));
        return $"{entry.Term}/{entry.Index} Entry{entry.Type}" + (data.Length == 0 ? "" : $" {data}");
    }

    public static string Of(PeerProgress progress) =>
        $"{progress.Peer}: State{progress.State} match={progress.Match} next={progress.Next}"
        + (progress.IsLearner ? " learner" : "")
        + (progress.Paused ? " paused" : "")
        + (progress.PendingSnapshot > 0 ? $" pendingSnap={progress.PendingSnapshot}" : "")
        + (progress.RecentActive ? "" : " inactive")
        + (progress.Inflight == 0 ? "" : $" inflight={progress.Inflight}{(progress.InflightFull ? "[full]" : "")}");

    public static string Of(Configuration configuration) =>
        $"voters={Of(configuration.Voters.Incoming)}"
        + (configuration.IsJoint ? $"&&{Of(configuration.Voters.Outgoing)}" : "")
        + (configuration.Learners.IsEmpty ? "" : $" learners={Of(configuration.Learners)}")
        + (configuration.LearnersNext.IsEmpty ? "" : $" learners_next={Of(configuration.LearnersNext)}")
        + (configuration.AutoLeave ? " autoleave" : "");

    private static void AppendEntries(StringBuilder text, string title, EntrySlice entries)
    {
        if (entries.IsEmpty)
        {
            return;
        }

        text.Append(title).Append(":\n");
        foreach (Entry entry in entries)
        {
            text.Append(Of(entry)).Append('\n');
        }
    }

    private static string Of(HardState state) =>
        $"Term:{state.Term}" + (state.Vote.IsNone ? "" : $" Vote:{state.Vote}") + $" Commit:{state.Commit}";

    private static string Of(Snapshot snapshot) =>
        $"Index:{snapshot.Index} Term:{snapshot.Term} ConfState:{Of(snapshot.ConfState)}";

    private static string Of(ConfState state) =>
        $"Voters:[{Of(state.Voters, "")}] VotersOutgoing:[{Of(state.VotersOutgoing, "")}] "
        + $"Learners:[{Of(state.Learners, "")}] LearnersNext:[{Of(state.LearnersNext, "")}] "
        + $"AutoLeave:{Of(state.AutoLeave)}";

    private static string Of(ReadState read) => $"{{{read.Index} {Encoding.UTF8.GetString(read.Context.Span)}}}";

    private static string Of(IEnumerable<PeerId> ids) => $"({Of(ids, "")})";

    private static string Of(IEnumerable<PeerId> ids, string empty) => ids.Any() ? string.Join(' ', ids) : empty;

    private static string Of(bool value) => value ? "true" : "false";

    private static string Of(PeerId id) =>
        id.IsNone ? "None"
        : id == PeerId.LocalAppendThread ? "AppendThread"
        : id == PeerId.LocalApplyThread ? "ApplyThread"
        : id.ToString();
}
