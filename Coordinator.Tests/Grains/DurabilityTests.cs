using Coordinator.Grains;
using Coordinator.Raft;

namespace Coordinator.Tests.Grains;

/// <summary>What the status says of the faults that are survived.</summary>
public sealed class DurabilityTests
{
    /// <param name="servers">Of peers 1, 2, … in order; a dash: it does not run, or nobody tells.</param>
    [Theory]
    [InlineData("A", 0, "the only voter stores in one PostgreSQL server")]
    [InlineData("A A A", 0, "all three voters store in one PostgreSQL server; if it goes back in time, only the file")]
    [InlineData("A B C", 1, "each voter stores in a PostgreSQL server of its own")]
    [InlineData("A A B", 0, "peers 1, 2 store in one PostgreSQL server")]
    [InlineData("A B -", 0, "2 of 3 voters run; each voter stores in a PostgreSQL server of its own")]
    [InlineData("A A -", 0, "2 of 3 voters run; all of these store in one PostgreSQL server")]
    [InlineData("A - -", 0, "1 of 3 voters run with a database that is known: that is no majority")]
    [InlineData("A B C D E", 2, "each voter")]
    [InlineData("A A B C D", 1, "peers 1, 2 store in one")]
    [InlineData("A A B B C", 1, "peers 1, 2 store in one PostgreSQL server; peers 3, 4 store in one PostgreSQL server")]
    [InlineData("A A A B C", 0, "peers 1, 2, 3 store in one")]
    [InlineData("A B C D -", 1, "4 of 5 voters run; each voter")]
    public void Servers_are_counted_and_not_voters(string servers, int tolerated, string because)
    {
        string[] each = servers.Split(' ');
        Durability durability = Durability.Of(
            new ConfState { Voters = [.. Enumerable.Range(1, each.Length).Select(id => new PeerId(id))] },
            peer => each[peer.Value - 1] is not "-" and var server ? server : null);
        Assert.Equal(tolerated, durability.FaultsTolerated);
        Assert.StartsWith(because, durability.Because, StringComparison.Ordinal);
    }

    [Fact]
    public void The_weaker_half_of_a_joint_configuration_counts()
    {
        var members = new ConfState { Voters = [new(1), new(2), new(3)], VotersOutgoing = [new(1), new(4), new(5)] };
        Durability durability = Durability.Of(members, peer => peer.Value >= 4 ? "one" : $"{peer}");
        Assert.Equal(0, durability.FaultsTolerated);
        Assert.StartsWith("peers 4, 5 store in one", durability.Because, StringComparison.Ordinal);
    }
}
