using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Conformance;

/// <summary>
/// A little cluster that does what a transcript says and prints what every node then does. Nothing happens by itself:
/// messages and storage work wait until a command lets them go.
/// </summary>
internal sealed partial class TranscriptCluster
{
    private readonly List<TranscriptNode> _nodes = [];
    private readonly TranscriptOutput _output = new();
    private List<Message> _messages = [];

    /// <summary>Runs a command and returns its output.</summary>
    public string Run(Directive directive)
    {
        string? error = Dispatch(directive);
        string output = _output.Take();
        return error is null ? output : output + error;
    }

    private string? Dispatch(Directive d) => d.Command switch
    {
        "log-level" => SetLogLevel(d.Arguments[0].Key),
        "add-nodes" => AddNodes(d),
        "campaign" => On(d, node => node.Raft.Campaign()),
        "forget-leader" => On(d, node => node.Raft.ForgetLeader()),
        "propose" => Result(Node(d).Raft.Propose(Encoding.UTF8.GetBytes(d.Arguments[1].Key))),
        "propose-conf-change" => ProposeConfChange(d),
        "read-index" => On(d, node => node.Raft.ReadIndex(Encoding.UTF8.GetBytes(d.Arguments[1].Key))),
        "process-ready" => ForEach(d, "handling Ready", ProcessReady),
        "process-append-thread" => ForEach(d, "processing append thread", ProcessAppend),
        "process-apply-thread" => ForEach(d, "processing apply thread", ProcessApply),
        "deliver-msgs" => DeliverMessages(d),
        "stabilize" => Stabilize(d),
        "tick-election" => On(d, node => Tick(node, node.Options.ElectionTicks)),
        "tick-heartbeat" => On(d, node => Tick(node, node.Options.HeartbeatTicks)),
        "set-randomized-election-timeout" =>
            On(d, node => node.Raft.ElectionTimer.Override(int.Parse(d.Find("timeout")!.Value, null))),
        "report-unreachable" => On(d, node => node.Raft.ReportUnreachable(new PeerId(d.Numbers().ElementAt(1)))),
        "transfer-leadership" => TransferLeadership(d),
        "send-snapshot" => SendSnapshot(d),
        "compact" => On(d, node => { node.Storage.Compact(d.Numbers().ElementAt(1)); PrintLog(node); }),
        "raft-log" => On(d, PrintLog),
        "raft-state" => PrintState(),
        "status" => On(d, PrintStatus),
        _ => throw new FormatException($"Line {d.Line}: unknown command {d.Command}."),
    };

    private TranscriptNode Node(Directive d) => Node(d.Numbers().First());

    private TranscriptNode Node(long id) => _nodes[(int)id - 1];

    private string? On(Directive d, Action<TranscriptNode> act)
    {
        act(Node(d));
        return null;
    }

    private string? ForEach(Directive d, string doing, Action<TranscriptNode> act)
    {
        long[] ids = [.. d.Numbers()];
        foreach (long id in ids)
        {
            if (ids.Length == 1)
            {
                act(Node(id));
            }
            else
            {
                _output.Line($"> {id} {doing}");
                _output.Indented(() => act(Node(id)));
            }
        }

        return null;
    }

    private static void Tick(TranscriptNode node, int times)
    {
        for (int i = 0; i < times; i++)
        {
            node.Raft.Tick();
        }
    }

    private static string? Result(ProposalResult result) =>
        result <= ProposalResult.Forwarded ? null : "raft proposal dropped";

    private string? SetLogLevel(string level)
    {
        _output.Muted = level.Equals("none", StringComparison.OrdinalIgnoreCase);
        return null;
    }

    private string? AddNodes(Directive d)
    {
        TranscriptOptions options = new(d);
        for (long i = d.Numbers().First(); i > 0; i--)
        {
            PeerId id = new(_nodes.Count + 1);
            _nodes.Add(new TranscriptNode(storage => options.For(id, storage), options.Bootstrap));
        }

        return null;
    }

    private string? ProposeConfChange(Directive d)
    {
        ConfChangeSingle[] changes = ConfChangeText.Parse(d.Input);
        if (d.Find("v1")?.Value == "true")
        {
            return Result(Node(d).Raft.ProposeConfChange(new ConfChange(changes[0].Type, changes[0].Peer)));
        }

        ConfChangeTransition transition = d.Find("transition")?.Value switch
        {
            "implicit" => ConfChangeTransition.JointImplicit,
            "explicit" => ConfChangeTransition.JointExplicit,
            _ => ConfChangeTransition.Auto,
        };
        return Result(Node(d).Raft.ProposeConfChange(new ConfChangeV2 { Transition = transition, Changes = changes }));
    }

    private string? TransferLeadership(Directive d)
    {
        long from = long.Parse(d.Find("from")!.Value, null);
        long to = long.Parse(d.Find("to")!.Value, null);
        Node(from).Raft.TransferLeader(new PeerId(to));
        return null;
    }

    private string? SendSnapshot(Directive d)
    {
        TranscriptNode from = Node(d);
        Message message = new()
        {
            Type = MessageType.Snap,
            Term = from.Raft.Term,
            From = from.Raft.Id,
            To = new PeerId(d.Numbers().ElementAt(1)),
            Snapshot = from.Snapshot(),
        };
        _messages.Add(message);
        _output.Line(TranscriptText.Of(message));
        return null;
    }

    private void PrintLog(TranscriptNode node)
    {
        if (node.LastIndex < node.FirstIndex)
        {
            _output.Line($"log is empty: first index={node.FirstIndex}, last index={node.LastIndex}");
            return;
        }

        foreach (Entry entry in node.Entries(node.FirstIndex, node.LastIndex + 1, long.MaxValue))
        {
            _output.Line(TranscriptText.Of(entry));
        }
    }

    private string? PrintState()
    {
        foreach (RawNode raft in _nodes.Select(node => node.Raft))
        {
            string voter = raft.Configuration.Voters.Contains(raft.Id) ? "(Voter)" : "(Non-Voter)";
            _output.Line($"{raft.Id}: State{raft.State} {voter} Term:{raft.Term} Lead:{raft.Leader}");
        }

        return null;
    }

    private void PrintStatus(TranscriptNode node)
    {
        foreach (PeerProgress progress in node.Raft.GetStatus().Progress)
        {
            _output.Line(TranscriptText.Of(progress));
        }
    }
}
