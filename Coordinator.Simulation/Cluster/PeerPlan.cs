using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Simulation.Engine;
using Google.Protobuf;

namespace Coordinator.Simulation.Cluster;

/// <summary>One change of the group's peers that the operator means to make.</summary>
/// <param name="Added">The peer to be made for it.</param>
/// <param name="Leaving">Who is no member afterwards.</param>
internal sealed record PeerPlan(Happening Kind, ChangePeers Change, PeerRecord? Added, List<PeerId> Leaving)
{
    private const int MembersMax = 7;

    /// <summary>Null: nothing sensible comes to mind.</summary>
    public static PeerPlan? Draw(World world, Prng random)
    {
        GroupMembership now = world.Invariants.Membership;
        for (int i = 0; i < 8; i++)
        {
            if (Draw(world, now, random) is { } plan && KeepsQuorum(world, now, plan.Change))
                return plan;
        }
        return null;
    }

    private static PeerPlan? Draw(World world, GroupMembership now, Prng random)
    {
        PeerId[] learners = [.. now.ConfState.Learners.Where(id => !world.PeerOf(id)!.IsLost)];
        switch (random.Below(6))
        {
            case 0 or 1 when now.Peers.Count < MembersMax && world.HasPlace:
                return Add(world, random, isVoter: random.Chance(0.2));
            case 2 when learners.Length > 0:
                return new PeerPlan(Happening.PeerPromoted, Of(Promote(random.Pick(learners))), null, []);
            case 3 when learners.Length > 0:
                PeerId leaving = AnyOf(world, now.ConfState.Voters, random);
                return new PeerPlan(
                    Happening.PeersReplacedJointly, Of(Promote(random.Pick(learners)), Remove(leaving)), null, [leaving]);
            case 4 when now.ConfState.Voters.Count > 1:
                return new PeerPlan(Happening.PeerDemoted, Of(Demote(AnyOf(world, now.ConfState.Voters, random))), null, []);
            case 5 when now.Peers.Count > 1:
                PeerId removed = AnyOf(world, [.. now.Peers.Select(peer => peer.Id)], random);
                return new PeerPlan(Happening.PeerRemoved, Of(Remove(removed)), null, [removed]);
            default:
                return null;
        }
    }

    private static PeerPlan Add(World world, Prng random, bool isVoter)
    {
        // Above the next id where an addition was given up: ids need not be contiguous.
        var id = new PeerId(world.Peers.Count + 1);
        var record = new PeerRecord(id, new Guid(random.Bytes(16)), $"silo-{id}");
        var add = new AddPeer
        {
            PeerId = record.Id.Value,
            StorageId = ByteString.CopyFrom(record.StorageId.ToByteArray(bigEndian: true)),
            Silo = record.Silo,
            Voter = isVoter,
        };
        return new PeerPlan(Happening.PeerAdded, Of(new PeerChange { Add = add }), record, []);
    }

    /// <summary>Whose storage is lost goes first.</summary>
    private static PeerId AnyOf(World world, IReadOnlyList<PeerId> ids, Prng random)
    {
        PeerId[] lost = [.. ids.Where(id => world.PeerOf(id)!.IsLost)];
        return random.Pick(lost.Length > 0 && random.Chance(0.7) ? lost : ids);
    }

    /// <summary>Of the voters afterwards a majority can answer at once: not the lost ones, nor one that is still to be made.</summary>
    private static bool KeepsQuorum(World world, GroupMembership now, ChangePeers change) =>
        PeerChanges.Apply(now, change).Next is { ConfState.Voters: var voters }
        && voters.Count(id => world.PeerOf(id) is null or { IsLost: true }) * 2 < voters.Count;

    private static ChangePeers Of(params PeerChange[] changes) => new() { Changes = { changes } };

    private static PeerChange Promote(PeerId peer) => new() { Promote = peer.Value };

    private static PeerChange Demote(PeerId peer) => new() { Demote = peer.Value };

    private static PeerChange Remove(PeerId peer) => new() { Remove = peer.Value };
}
