using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>A group in an operator's words, made from what is known of it here.</summary>
internal static class GroupDescriptions
{
    private const string NotTold = "tells nothing of it.";

    public static GroupDescription Of(GroupPicture picture)
    {
        (int voters, int caughtUp) = picture.Voters();
        var description = new GroupDescription
        {
            Group = picture.Group,
            LeaderPeerId = picture.Leader.Value,
            Term = picture.Term,
            CommitIndex = picture.CommitIndex,
            Revision = picture.Local?.Revision ?? 0,
            Sessions = picture.Local?.Sessions ?? 0,
            FeatureLevel = picture.Local?.FeatureLevel ?? 0,
            FailuresTolerated = GroupPicture.FailuresTolerated((voters, caughtUp)),
            Voters = voters,
            VotersCaughtUp = caughtUp,
        };
        foreach (MemberFact member in picture.Members)
            description.Peers.Add(Of(member, picture.FactOf(member)));
        return description;
    }

    /// <param name="others">Null: the embedded host.</param>
    public static GroupStatus StatusOf(GroupPicture picture, OtherSilos? others, string? notice)
    {
        (int voters, int caughtUp) = picture.Voters();
        IEnumerable<PeerStatus> members = picture.Members.Select(member => Of(member, picture, others));
        // A peer that has yet to join, or is about to go, is nobody's member; before anybody knows the members, all are.
        IEnumerable<PeerStatus> more = picture.Facts
            .Where(fact => !picture.Members.Any(member => picture.FactOf(member) == fact))
            .Select(fact => From(fact) with { Silo = others?.SiloOrOwn(GroupFacts.IdOf(fact)) });
        return new GroupStatus(
            picture.Group, picture.Leader.Value, picture.Term, picture.CommitIndex, picture.Local?.Revision ?? 0,
            picture.Local?.Sessions ?? 0, [.. members.Concat(more).OrderBy(peer => peer.PeerId)])
        {
            FailuresTolerated = GroupPicture.FailuresTolerated((voters, caughtUp)),
            Voters = voters,
            VotersCaughtUp = caughtUp,
            Silos = others?.Describe() ?? [],
            Notice = notice,
        };
    }

    /// <returns>"leader", "follower", "candidate", "suspended", "quarantined" or "stopped".</returns>
    public static string StateOf(ReplicaStatus status) => (status.Service, status.Role) switch
    {
        (ServiceState.Suspended, _) => "suspended",
        (ServiceState.Quarantined, _) => "quarantined",
        (ServiceState.Stopped, _) => "stopped",
        (_, RaftState.Leader) => "leader",
        (_, RaftState.Candidate or RaftState.PreCandidate) => "candidate",
        _ => "follower",
    };

    private static PeerDescription Of(MemberFact member, GroupFact? fact) => new()
    {
        PeerId = member.PeerId,
        Role = member.Voter ? "voter" : "learner",
        // Its role says already that it learns.
        State = fact is null ? "unknown" : fact.State == "learner" ? "follower" : fact.State,
        Silo = member.Silo,
        AppliedIndex = fact?.AppliedIndex ?? 0,
        LastIndex = fact?.LastIndex ?? 0,
        Detail = fact is null ? $"Silo {member.Silo} {NotTold}" : fact.Detail,
    };

    private static PeerStatus Of(MemberFact member, GroupPicture picture, OtherSilos? others)
    {
        PeerStatus status = picture.FactOf(member) is { } fact
            ? From(fact)
            : new PeerStatus(member.PeerId, "unknown", 0, 0, 0, 0, 0, 0, $"Silo {member.Silo} {NotTold}");
        return others is null ? status : status with { Silo = member.Silo };
    }

    private static PeerStatus From(GroupFact fact) => new(
        fact.PeerId, fact.State, fact.Epoch, fact.Term, fact.LastIndex, fact.CommitIndex, fact.AppliedIndex,
        fact.SnapshotIndex, fact.Detail.Length > 0 ? fact.Detail : null);
}
