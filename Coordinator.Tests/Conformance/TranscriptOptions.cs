using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Conformance;

/// <summary>
/// The options and the first snapshot that an <c>add-nodes</c> line gives to its nodes; no limits unless named.
/// </summary>
internal sealed class TranscriptOptions
{
    private readonly Directive _directive;

    public TranscriptOptions(Directive directive)
    {
        _directive = directive;
        ConfState members = new() { Voters = Ids("voters"), Learners = Ids("learners") };
        long index = Number("index", 0);
        Bootstrap = members.Voters.Count == 0 && members.Learners.Count == 0 && index == 0
            ? null
            : new Snapshot(index, new Term(1), members, Encoding.UTF8.GetBytes(Text("content") ?? ""));
    }

    public Snapshot? Bootstrap { get; }

    public RaftOptions For(PeerId id, IRaftStorage storage) => new()
    {
        Id = id,
        Storage = storage,
        ElectionTicks = 3,
        HeartbeatTicks = 1,
        Applied = Number("index", 0),
        MaxMessageBytes = Number("max-message-bytes", long.MaxValue),
        MaxInflightMessages = (int)Number("inflight", int.MaxValue),
        MaxCommittedBytesPerReady = Number("max-committed-size-per-ready", 0),
        AsyncStorageWrites = Flag("async-storage-writes"),
        ApplyBeforeOwnWrite = Flag("apply-before-own-write"),
        PreVote = Flag("prevote"),
        CheckQuorum = Flag("checkquorum"),
        DisableConfChangeValidation = Flag("disable-conf-change-validation"),
        StepDownOnRemoval = Flag("step-down-on-removal"),
        ReadOnlyOption = Text("read-only") == "lease-based" ? ReadOnlyOption.LeaseBased : ReadOnlyOption.Safe,
    };

    private PeerId[] Ids(string key) =>
        [.. (_directive.Find(key)?.Values ?? []).Select(v => new PeerId(long.Parse(v, null)))];

    private string? Text(string key) => _directive.Find(key)?.Value;

    private long Number(string key, long otherwise) => Text(key) is { } text ? long.Parse(text, null) : otherwise;

    private bool Flag(string key) => Text(key) == "true";
}
