using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Grains.Orleans;

/// <summary>The part that says what acknowledged means now. Every silo reaches every database, so each can tell.</summary>
internal sealed partial class OrleansGroup
{
    /// <summary>Null: nobody that is heard knows the members.</summary>
    private Durability? Durable()
    {
        GroupPicture picture = Picture();
        if (picture.Members.Count == 0)
            return null;
        var members = new ConfState
        {
            Voters = IdsOf(picture, member => member.Voter),
            VotersOutgoing = IdsOf(picture, member => member.Outgoing),
        };
        return Durability.Of(members, voter => ServerOf(picture, voter), Witnesses);
    }

    private string Witnesses => _silo.Places.IsShared
        ? "the clients"
        : "the grain directory's database, if that is on another one, and the clients";

    private static PeerId[] IdsOf(GroupPicture picture, Func<MemberFact, bool> isWanted) =>
        [.. picture.Members.Where(isWanted).Select(member => new PeerId(member.PeerId))];

    /// <summary>Null: it does not run, or its database is not reached.</summary>
    private string? ServerOf(GroupPicture picture, PeerId voter) =>
        picture.Members.FirstOrDefault(member => member.PeerId == voter.Value) is { } member
        && picture.FactOf(member) is { } fact && GroupFacts.Runs(fact)
            ? OtherSilos.NameOf(_silo.DatabaseAt(member.Silo)?.Health.System ?? 0)
            : null;
}
