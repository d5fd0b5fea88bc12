namespace Coordinator.Raft.Quorum;

/// <summary>
/// Two majorities that must both agree (Raft §6). While no change is under way the outgoing one is empty, and the
/// incoming one decides alone.
/// </summary>
public sealed record JointConfig(MajorityConfig Incoming, MajorityConfig Outgoing)
{
    public static JointConfig Empty { get; } = new(MajorityConfig.Empty, MajorityConfig.Empty);

    public bool IsJoint => !Outgoing.IsEmpty;

    public bool Contains(PeerId id) => Incoming.Contains(id) || Outgoing.Contains(id);

    /// <summary>The members of either half, ascending, each once.</summary>
    public MajorityConfig Ids() => IsJoint ? MajorityConfig.Create([.. Incoming, .. Outgoing]) : Incoming;

    /// <inheritdoc cref="MajorityConfig.CommittedIndex"/>
    public long CommittedIndex(Func<PeerId, long?> acknowledged) =>
        Math.Min(Incoming.CommittedIndex(acknowledged), Outgoing.CommittedIndex(acknowledged));

    /// <summary>Won when both halves are won, lost when one is lost.</summary>
    public VoteResult VoteResult(Func<PeerId, bool?> vote)
    {
        VoteResult incoming = Incoming.VoteResult(vote);
        VoteResult outgoing = Outgoing.VoteResult(vote);
        return incoming == outgoing ? incoming
            : incoming == Quorum.VoteResult.Lost || outgoing == Quorum.VoteResult.Lost ? Quorum.VoteResult.Lost
            : Quorum.VoteResult.Pending;
    }

    public override string ToString() => IsJoint ? $"{Incoming}&&{Outgoing}" : Incoming.ToString();
}
