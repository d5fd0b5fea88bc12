using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains.Recovery;

/// <summary>
/// What is left of a group whose quorum is lost. Invariant: the best log contains everything that any survivor knows to be
/// committed, and of those logs it is the one that Raft would elect.
/// </summary>
/// <remarks>
/// An entry that was acknowledged is in the best log unless it, or the entry of a later term that committed it, was on
/// lost voters alone. Let C be the entry of its leader's own term by whose quorum it was committed. If a survivor's log has
/// C, that log's last term is at least C's. So is the best one's: if it is higher, its leader had C (leader completeness);
/// if it is the same, both are prefixes of one leader's log, and the best is the longer one. The last term and index alone
/// would not do: a log with a later last term may lack what another survivor knows to be committed (Raft figure 8).
/// </remarks>
public sealed record RecoveryPlan
{
    public required Guid ClusterId { get; init; }

    public required int Group { get; init; }

    /// <summary>In the order of peer ids.</summary>
    public required IReadOnlyList<Survivor> Survivors { get; init; }

    public required IReadOnlyList<DamagedPeer> Damaged { get; init; }

    public required Survivor Best { get; init; }

    /// <summary>Up to here a survivor knows that all is committed. From there to the best log's end it may be.</summary>
    public required long CertainIndex { get; init; }

    /// <summary>The state at the best log's end.</summary>
    public required CoordinationState State { get; init; }

    /// <summary>Voters of either half of a joint configuration, at the certain index or at the log's end.</summary>
    public required IReadOnlyList<PeerId> Voters { get; init; }

    public required IReadOnlyList<PeerId> LostVoters { get; init; }

    /// <summary>Then nothing is to be recovered: the survivors go on by themselves.</summary>
    public required bool HasQuorum { get; init; }

    /// <summary>Then there may have been acknowledged entries that no survivor has.</summary>
    public required bool LostCouldCommit { get; init; }

    /// <summary>The first index at which the survivor has another entry than the best log, or one beyond it; null: none.</summary>
    public long? DroppedFrom(Survivor survivor)
    {
        ArgumentNullException.ThrowIfNull(survivor);
        for (long index = Math.Max(survivor.FirstIndex, CertainIndex + 1); index <= survivor.LastIndex; index++)
        {
            if (Best.TermAt(index) != survivor.TermAt(index))
                return index;
        }
        return null;
    }

    /// <exception cref="RecoveryException">They are not survivors of one group, or nothing is left of it.</exception>
    public static RecoveryPlan Of(IReadOnlyList<SurvivingDatabase> databases)
    {
        ArgumentNullException.ThrowIfNull(databases);
        Survivor[] survivors = [.. databases.SelectMany(database => database.Survivors).OrderBy(one => one.Key.Peer)];
        DamagedPeer[] damaged = [.. databases.SelectMany(database => database.Damaged)];
        RequireOneGroup(databases, survivors, damaged);
        long certain = survivors.Max(one => one.CommitIndex);
        if (certain == 0)
            throw new RecoveryException("None of the peers has come so far as to know its group: nothing is left.");
        Term certainTerm = survivors.First(one => one.CommitIndex == certain).TermAt(certain)!.Value;
        Survivor best = survivors.Where(one => one.TermAt(certain) == certainTerm)
            .MaxBy(one => (one.LastTerm, one.LastIndex))!;
        var replay = new LogReplay(best);
        replay.ApplyTo(certain);
        GroupMembership atCertain = replay.State.Membership;
        replay.ApplyTo(best.LastIndex);
        return Judge([atCertain, replay.State.Membership], new RecoveryPlan
        {
            ClusterId = best.ClusterId,
            Group = best.Key.Group,
            Survivors = survivors,
            Damaged = damaged,
            Best = best,
            CertainIndex = certain,
            State = replay.State,
            Voters = [],
            LostVoters = [],
            HasQuorum = false,
            LostCouldCommit = false,
        });
    }

    /// <param name="memberships">Which of them counted last is not known: a quorum has to be one in both.</param>
    private static RecoveryPlan Judge(GroupMembership[] memberships, RecoveryPlan plan)
    {
        bool IsHere(GroupMembership membership, PeerId voter) => plan.Survivors.Any(
            one => one.WentBack is null && one.Key.Peer == voter && membership.Find(voter)?.StorageId == one.Stored.StorageId);
        bool IsQuorum(GroupMembership membership, Func<PeerId, bool> has) =>
            new[] { membership.ConfState.Voters, membership.ConfState.VotersOutgoing }
                .All(half => half.Count == 0 || half.Count(has) > half.Count / 2);
        PeerId[] voters =
        [
            .. memberships.SelectMany(one => one.ConfState.Voters.Concat(one.ConfState.VotersOutgoing)).Distinct().Order(),
        ];
        return plan with
        {
            Voters = voters,
            LostVoters = [.. voters.Where(voter => !memberships.Any(one => IsHere(one, voter)))],
            HasQuorum = memberships.All(one => IsQuorum(one, voter => IsHere(one, voter))),
            LostCouldCommit = memberships.Any(one => IsQuorum(one, voter => !IsHere(one, voter))),
        };
    }

    private static void RequireOneGroup(
        IReadOnlyList<SurvivingDatabase> databases, Survivor[] survivors, DamagedPeer[] damaged)
    {
        if (databases.Select(one => one.ClusterId).Distinct().Count() > 1)
        {
            throw new RecoveryException(
                "They belong to different clusters: " + string.Join(", ", databases.Select(one => $"{one.Source} to {one.ClusterId}")) + ".");
        }
        if (survivors.Length == 0 && damaged.Length == 0)
            throw new RecoveryException("They hold no peer of the group that was asked for.");
        if (survivors.Length == 0)
        {
            throw new RecoveryException(
                "No peer is left whole. " + string.Join(" ", damaged.Select(one => $"Peer {one.Key} in {one.Source}: {one.Why}.")));
        }
        if (survivors.Select(one => one.Key.Group).Distinct().Count() is > 1 and var groups)
            throw new RecoveryException($"They hold peers of {groups} groups, and each is recovered by itself: say which, --group N.");
        if (survivors.GroupBy(one => one.Key.Peer).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new RecoveryException(
                $"Peer {twice.Key} is there twice, in {string.Join(" and ", twice.Select(one => one.Source))}: one is a copy. Name the later one alone.");
        }
    }
}
