namespace Coordinator.Raft;

/// <summary>How one peer runs. Ticks are the caller's unit of time; sizes are bytes.</summary>
public sealed record RaftOptions
{
    /// <summary>This peer. Neither none nor a local target.</summary>
    public required PeerId Id { get; init; }

    /// <summary>What has been written before, and whatever is written later.</summary>
    public required IRaftStorage Storage { get; init; }

    /// <summary>
    /// Ticks without a leader until a follower campaigns, at the least; each wait is drawn from
    /// [ElectionTicks, 2 * ElectionTicks) (Raft §5.2).
    /// </summary>
    public int ElectionTicks { get; init; } = 10;

    /// <summary>Ticks between two heartbeats of a leader.</summary>
    public int HeartbeatTicks { get; init; } = 1;

    /// <summary>
    /// The index up to which the application has applied already; 0: it starts from the storage's first.
    /// </summary>
    public long Applied { get; init; }

    /// <summary>Storage work travels as messages with responses, so that a leader sends while it writes.</summary>
    public bool AsyncStorageWrites { get; init; }

    /// <summary>
    /// With <see cref="AsyncStorageWrites"/>: an entry that the others have committed may be handed out for applying
    /// before this peer's own write of it has returned. Membership changes still wait for it. etcd: off.
    /// </summary>
    public bool ApplyBeforeOwnWrite { get; init; }

    /// <summary>Entries in one append message, encoded; 0: one entry a message.</summary>
    public long MaxMessageBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Committed entries handed out and not yet applied, encoded; 0: as <see cref="MaxMessageBytes"/>.
    /// </summary>
    public long MaxCommittedBytesPerReady { get; init; }

    /// <summary>Payloads of a leader's uncommitted entries, past which proposals are dropped; 0: no limit.</summary>
    public long MaxUncommittedBytes { get; init; }

    /// <summary>Append messages on their way to one follower.</summary>
    public int MaxInflightMessages { get; init; } = 256;

    /// <summary>Payload bytes on their way to one follower; 0: no limit, else at least MaxMessageBytes.</summary>
    public long MaxInflightBytes { get; init; }

    /// <summary>
    /// A leader that no quorum answers for an election time-out steps down, and a follower that hears a leader
    /// refuses votes (leader stickiness, Raft §6).
    /// </summary>
    public bool CheckQuorum { get; init; }

    /// <summary>
    /// Ask before raising the term, so that a peer cut off doesn't disturb when it returns (thesis §9.6).
    /// </summary>
    public bool PreVote { get; init; }

    public ReadOnlyOption ReadOnlyOption { get; init; }

    /// <summary>Followers drop proposals instead of sending them to the leader.</summary>
    public bool DisableProposalForwarding { get; init; }

    /// <summary>
    /// Membership changes enter the log unchecked. Only for callers that check and serialise them; an invalid one is
    /// fatal when applied.
    /// </summary>
    public bool DisableConfChangeValidation { get; init; }

    /// <summary>A leader removed from the group, or made a learner, steps down when it applies that.</summary>
    public bool StepDownOnRemoval { get; init; }

    /// <summary>
    /// All randomness of this peer. Peers with the same seed and different ids draw different time-outs.
    /// </summary>
    public ulong Seed { get; init; }

    /// <summary>Told what happens, a line an event. For people; not a contract.</summary>
    public Action<string>? Trace { get; init; }

    /// <summary>
    /// Throws on options that cannot work, naming option and value; returns warnings on those that may not.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public IReadOnlyList<string> Validate()
    {
        Refuse(Id.IsNone || Id.IsLocalThread, nameof(Id), Id, "must name a peer");
        Refuse(Storage is null, nameof(Storage), "null", "must be set");
        Refuse(HeartbeatTicks <= 0, nameof(HeartbeatTicks), HeartbeatTicks, "must be at least 1");
        Refuse(ElectionTicks <= HeartbeatTicks, nameof(ElectionTicks), ElectionTicks, "must be above HeartbeatTicks");
        Refuse(ElectionTicks > 1_000_000, nameof(ElectionTicks), ElectionTicks, "must be at most 1000000");
        Refuse(Applied < 0, nameof(Applied), Applied, "must not be negative");
        Refuse(MaxMessageBytes < 0, nameof(MaxMessageBytes), MaxMessageBytes, "must not be negative");
        Refuse(
            MaxCommittedBytesPerReady < 0,
            nameof(MaxCommittedBytesPerReady),
            MaxCommittedBytesPerReady,
            "must not be negative");
        Refuse(MaxUncommittedBytes < 0, nameof(MaxUncommittedBytes), MaxUncommittedBytes, "must not be negative");
        Refuse(MaxInflightMessages <= 0, nameof(MaxInflightMessages), MaxInflightMessages, "must be at least 1");
        Refuse(
            MaxInflightBytes != 0 && MaxInflightBytes < MaxMessageBytes,
            nameof(MaxInflightBytes),
            MaxInflightBytes,
            "must be 0 (no limit) or at least MaxMessageBytes");
        Refuse(
            ReadOnlyOption == ReadOnlyOption.LeaseBased && !CheckQuorum,
            nameof(ReadOnlyOption),
            ReadOnlyOption,
            "needs CheckQuorum: without it a leader that was cut off keeps its lease");
        Refuse(
            ApplyBeforeOwnWrite && !AsyncStorageWrites,
            nameof(ApplyBeforeOwnWrite),
            ApplyBeforeOwnWrite,
            "needs AsyncStorageWrites");
        return HeartbeatTicks > 0.8 * ElectionTicks
            ? [$"HeartbeatTicks {HeartbeatTicks} is over 0.8 of ElectionTicks {ElectionTicks}: "
                + "one late heartbeat starts an election. Lower the former or raise the latter."]
            : [];
    }

    private static void Refuse(bool wrong, string option, object value, string rule)
    {
        if (wrong)
        {
            throw new ArgumentException($"{option} = {value}: {rule}.", option);
        }
    }
}
