using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// The other silos of the cluster, as they have told of themselves while their links are up. Thread-safe. Invariant:
/// what a silo has told is forgotten with its link.
/// </summary>
internal sealed class OtherSilos(
    string own, IReadOnlyList<ClusterMember> members, int group, ClusterTransport transport)
{
    private readonly ConcurrentDictionary<string, SiloFacts> _facts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _urls =
        members.ToDictionary(member => member.SiloId, member => member.Url, StringComparer.Ordinal);

    public IReadOnlyList<string> Ids { get; } =
        [.. members.Select(member => member.SiloId).Where(id => id != own).Order(StringComparer.Ordinal)];

    public string UrlOf(string silo) => _urls.GetValueOrDefault(silo, "");

    public bool IsUp(string silo) => transport.IsUp(silo);

    public void Told(string silo, SiloFacts facts) => _facts[silo] = facts;

    public void Lost(string silo) => _facts.TryRemove(silo, out _);

    /// <summary>Null: it has told nothing, or has no peer.</summary>
    public GroupFact? FactOf(string silo) => _facts.GetValueOrDefault(silo)?.Groups
        .FirstOrDefault(fact => fact.Group == group && fact.PeerId != 0);

    public bool IsStopping(string silo) => _facts.GetValueOrDefault(silo) is { Stopping: true };

    /// <summary>What the silo of this peer has told of it.</summary>
    public GroupFact? FactOf(PeerId peer) =>
        Ids.Select(FactOf).FirstOrDefault(fact => fact is not null && fact.PeerId == peer.Value);

    /// <summary>The PostgreSQL server that a peer which runs stores in; null: nobody tells.</summary>
    public string? ServerOf(PeerId peer)
    {
        foreach (string silo in Ids)
        {
            if (FactOf(silo) is { State: "leader" or "follower" or "candidate" or "learner" } fact && fact.PeerId == peer.Value)
                return _facts.GetValueOrDefault(silo) is { } facts ? NameOf(facts.Server) : null;
        }
        return null;
    }

    /// <summary>Null: not known.</summary>
    public static string? NameOf(long server) => server == 0 ? null : $"{server}";

    /// <summary>
    /// The other silo that the leader is on, by the latest term that anybody knows a leader of. Null: there is none, it
    /// is here, or it is not reached.
    /// </summary>
    /// <param name="local">Of the peer here; null: there is none.</param>
    public string? LeadersSilo(ReplicaStatus? local)
    {
        (long Term, string Silo) best = (0, "");
        if (local is { Service: ServiceState.Running } && local.Membership.Find(local.Leader) is { } leader)
            best = (local.Term.Value, leader.Silo);
        foreach (string silo in Ids)
        {
            // Whoever leads says so itself: its followers may hear of it a moment later.
            if (FactOf(silo) is { } fact && fact.LeaderPeerId == fact.PeerId && fact.Term > best.Term)
                best = (fact.Term, silo);
        }
        return best.Silo.Length > 0 && best.Silo != own && IsUp(best.Silo) ? best.Silo : null;
    }

    /// <summary>Whether the leader over there has said that it would serve now.</summary>
    public bool Serves(string silo) => FactOf(silo) is { Serves: true };

    public Task<ForwardedAnswer> AskAsync(string silo, ForwardedRequest request, CancellationToken abandoned)
    {
        request.Group = group;
        return transport.AskAsync(silo, request, abandoned);
    }

    public IReadOnlyList<SiloStatus> Describe() => [.. members.Select(member => new SiloStatus(
        member.SiloId, member.Url,
        member.SiloId == own ? "self" : IsUp(member.SiloId) ? "up" : "down"))];
}
