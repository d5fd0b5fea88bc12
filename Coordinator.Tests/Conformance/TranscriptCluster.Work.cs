using Coordinator.Raft;

namespace Coordinator.Tests.Conformance;

/// <summary>Letting work and messages go.</summary>
internal sealed partial class TranscriptCluster
{
    private void ProcessReady(TranscriptNode node)
    {
        Ready ready = node.Raft.Ready();
        _output.Line(TranscriptText.Of(ready).TrimEnd('\n'));
        bool synchronous = !node.Options.AsyncStorageWrites;
        if (synchronous)
        {
            node.Write(ready.HardState, ready.Entries, ready.Snapshot);
            node.Apply(ready.CommittedEntries);
        }

        foreach (Message message in ready.Messages)
        {
            if (message.To == PeerId.LocalAppendThread)
            {
                node.AppendWork.Enqueue(message);
            }
            else if (message.To == PeerId.LocalApplyThread)
            {
                node.ApplyWork.Enqueue(message);
            }
            else
            {
                _messages.Add(message);
            }
        }

        if (synchronous)
        {
            node.Raft.Advance();
        }
    }

    private void ProcessAppend(TranscriptNode node) =>
        ProcessWork(node.AppendWork, "append", m => node.Write(m.HardState, m.Entries, m.Snapshot));

    private void ProcessApply(TranscriptNode node) =>
        ProcessWork(node.ApplyWork, "apply", m => node.Apply(m.Entries));

    private void ProcessWork(Queue<Message> work, string kind, Action<Message> perform)
    {
        if (!work.TryDequeue(out Message? message))
        {
            _output.Line($"no {kind} work to perform");
            return;
        }

        _output.Line("Processing:");
        _output.Line(TranscriptText.Of(message with { Responses = [] }));
        perform(message);
        _output.Line("Responses:");
        foreach (Message response in message.Responses)
        {
            _output.Line(TranscriptText.Of(response));
            _messages.Add(response);
        }
    }

    private string? DeliverMessages(Directive d)
    {
        string? type = d.Find("type")?.Value;
        int handled = d.Numbers().Sum(id => Deliver(id, drop: false, type))
            + (d.Find("drop")?.Values ?? []).Sum(id => Deliver(long.Parse(id, null), drop: true, type));
        if (handled == 0)
        {
            _output.Line("no messages");
        }

        return null;
    }

    private int Deliver(long to, bool drop, string? type = null)
    {
        bool Chosen(Message m) =>
            m.To.Value == to && !(drop && IsOwn(m)) && (type is null || $"Msg{m.Type}" == type);
        Message[] chosen = [.. _messages.Where(Chosen)];
        _messages = [.. _messages.Where(m => !Chosen(m))];
        foreach (Message message in chosen)
        {
            _output.Line((drop ? "dropped: " : "") + TranscriptText.Of(message));
            if (!drop && Node(to).Raft.Step(message) is not StepResult.Accepted and var refused)
            {
                _output.Line(Refusal(refused));
            }
        }

        return chosen.Length;
    }

    private static bool IsOwn(Message m) => m.From == m.To || m.From.IsLocalThread || m.To.IsLocalThread;

    private static string Refusal(StepResult result) => result switch
    {
        StepResult.ProposalDropped => "raft proposal dropped",
        StepResult.UnknownPeer => "raft: cannot step as peer not found",
        _ => "raft: cannot step raft local message",
    };

    private string? Stabilize(Directive d)
    {
        bool muted = _output.Muted;
        if (d.Find("log-level") is { } level)
        {
            SetLogLevel(level.Value);
        }

        TranscriptNode[] nodes = d.Numbers().Any() ? [.. d.Numbers().Select(Node)] : [.. _nodes];
        while (StabilizeOnce(nodes))
        {
        }

        _output.Muted = muted;
        return null;
    }

    private bool StabilizeOnce(TranscriptNode[] nodes)
    {
        bool any = false;
        void Each(Func<TranscriptNode, bool> has, string doing, Action<TranscriptNode> act)
        {
            foreach (TranscriptNode node in nodes.Where(has))
            {
                any = true;
                _output.Line($"> {node.Raft.Id} {doing}");
                _output.Indented(() => act(node));
            }
        }

        Each(n => n.Raft.HasReady, "handling Ready", ProcessReady);
        Each(n => _messages.Any(m => m.To == n.Raft.Id), "receiving messages", n => Deliver(n.Raft.Id.Value, false));
        Each(n => n.AppendWork.Count > 0, "processing append thread", n => WorkOff(n.AppendWork, ProcessAppend, n));
        Each(n => n.ApplyWork.Count > 0, "processing apply thread", n => WorkOff(n.ApplyWork, ProcessApply, n));
        return any;
    }

    private static void WorkOff(Queue<Message> work, Action<TranscriptNode> process, TranscriptNode node)
    {
        while (work.Count > 0)
        {
            process(node);
        }
    }
}
