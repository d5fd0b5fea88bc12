using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// The other silos of the cluster, as they have told of themselves and of one group while their links are up. Thread-safe.
/// Invariant: what a silo has told is forgotten with its link.
/// </summary>
internal sealed class OtherSilos(
    string own, IReadOnlyList<ClusterMember> members, int group, ClusterTransport transport)
{
    private readonly ConcurrentDictionary<string, ToldFacts> _facts = new(StringComparer.Ordinal);
    private volatile ListedSilos _listed = new(own, members);

    public IReadOnlyList<string> Ids => _listed.Ids;

    /// <summary>What the others have told of their peers.</summary>
    public IEnumerable<GroupFact> Facts => Ids.SelectMany(FactsOf);

    /// <summary>Silos of another cluster tell nothing. Empty: not known yet.</summary>
    public Guid ClusterId { get; set; }

    public string UrlOf(string silo) => _listed.Urls.GetValueOrDefault(silo, "");

    /// <summary>Of the list that this silo is configured with, itself included.</summary>
    public bool IsListed(string silo) => _listed.Urls.ContainsKey(silo);

    /// <summary>The list is another one from now on.</summary>
    public void List(IReadOnlyList<ClusterMember> members) => _listed = new ListedSilos(own, members);

    public bool IsUp(string silo) => transport.IsUp(silo);

    /// <summary>What the silo tells of itself.</summary>
    /// <param name="own">Of this group alone; null: as told before.</param>
    public void Told(string silo, SiloFacts facts, GroupFact[]? own)
    {
        own = own is null ? _facts.GetValueOrDefault(silo).Own ?? [] : [.. own.Where(fact => fact.PeerId != 0)];
        _facts[silo] = Of(facts, own);
    }

    /// <summary>Whether this says anything else of the silo itself than it has told before.</summary>
    public bool IsOtherwise(string silo, SiloFacts facts) =>
        !_facts.TryGetValue(silo, out ToldFacts told) || told != Of(facts, told.Own);

    public void Lost(string silo) => _facts.TryRemove(silo, out _);

    public bool IsStopping(string silo) => _facts.GetValueOrDefault(silo).Stopping;

    /// <summary>Whether it has said that it runs all peers that its database has.</summary>
    public bool RunsAll(string silo) => IsUp(silo) && _facts.GetValueOrDefault(silo) is { AllRun: true, Stopping: false } told
        && told.ClusterId == ClusterId;

    /// <summary>The silo that has told of this peer. Null: none has.</summary>
    public string? SiloOf(PeerId peer) =>
        Ids.FirstOrDefault(silo => FactsOf(silo).Any(fact => fact.PeerId == peer.Value));

    /// <summary>Of a peer that somebody tells of.</summary>
    public string SiloOrOwn(PeerId peer) => SiloOf(peer) ?? own;

    /// <summary>The PostgreSQL server that a peer which runs stores in; null: nobody tells.</summary>
    public string? ServerOf(PeerId peer) => Ids
        .Where(silo => FactsOf(silo).Any(fact => fact.PeerId == peer.Value && IsRunning(fact)))
        .Select(silo => NameOf(_facts.GetValueOrDefault(silo).Server))
        .FirstOrDefault();

    /// <summary>Null: not known.</summary>
    public static string? NameOf(long server) => server == 0 ? null : $"{server}";

    /// <summary>
    /// The other silo that the leader is on, by the latest term that anybody knows a leader of. Null: there is none, it
    /// is here, or it is not reached.
    /// </summary>
    /// <param name="local">Of the peer here that knows most; null: there is none.</param>
    public string? LeadersSilo(ReplicaStatus? local)
    {
        (long Term, string Silo) best = (0, "");
        if (local is { Service: ServiceState.Running } && local.Membership.Find(local.Leader) is { } leader)
            best = (local.Term.Value, leader.Silo);
        foreach (string silo in Ids)
        {
            foreach (GroupFact fact in FactsOf(silo))
            {
                // Whoever leads says so itself: its followers may hear of it a moment later.
                if (fact.LeaderPeerId == fact.PeerId && fact.Term > best.Term)
                    best = (fact.Term, silo);
            }
        }
        return best.Silo.Length > 0 && best.Silo != own && IsUp(best.Silo) ? best.Silo : null;
    }

    /// <summary>Whether the leader over there has said that it would serve now.</summary>
    public bool Serves(string silo) => FactsOf(silo).Any(fact => fact.Serves);

    public Task<ForwardedAnswer> AskAsync(string silo, ForwardedRequest request, CancellationToken abandoned)
    {
        request.Group = group;
        return transport.AskAsync(silo, request, abandoned);
    }

    public IReadOnlyList<SiloStatus> Describe() => [.. _listed.Members.Select(member => new SiloStatus(
        member.SiloId, member.Url,
        member.SiloId == own ? "self" : IsUp(member.SiloId) ? "up" : "down"))];

    private static ToldFacts Of(SiloFacts facts, GroupFact[] own) => new(
        facts.ClusterId.Length == 16 ? new Guid(facts.ClusterId.Span) : Guid.Empty, facts.Stopping, facts.AllRun, facts.Server, own);

    private GroupFact[] FactsOf(string silo) =>
        _facts.TryGetValue(silo, out ToldFacts told) && (ClusterId == Guid.Empty || told.ClusterId == ClusterId) ? told.Own : [];

    private static bool IsRunning(GroupFact fact) => fact.State is "leader" or "follower" or "candidate" or "learner";

    /// <param name="Own">Of the peers of this group there.</param>
    private readonly record struct ToldFacts(Guid ClusterId, bool Stopping, bool AllRun, long Server, GroupFact[] Own);

    private sealed class ListedSilos(string own, IReadOnlyList<ClusterMember> members)
    {
        public IReadOnlyList<ClusterMember> Members { get; } = members;

        public Dictionary<string, string> Urls { get; } =
            members.ToDictionary(member => member.SiloId, member => member.Url, StringComparer.Ordinal);

        public IReadOnlyList<string> Ids { get; } =
            [.. members.Select(member => member.SiloId).Where(id => id != own).Order(StringComparer.Ordinal)];
    }
}
