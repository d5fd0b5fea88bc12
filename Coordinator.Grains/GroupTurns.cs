using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>
/// In which order the peers of a group step forward where any of them would do: of each group another one begins, so that
/// the leaders of many groups do not all end up on one silo.
/// </summary>
internal static class GroupTurns
{
    /// <summary>The lowest comes first. No two members have the same.</summary>
    public static int Of(PeerId peer, int group, GroupMembership membership)
    {
        int place = membership.Peers.Count(other => other.Id < peer);
        int count = Math.Max(1, membership.Peers.Count);
        return (place + count - (group % count)) % count;
    }
}
