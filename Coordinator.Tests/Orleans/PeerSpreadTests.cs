using Coordinator.Grains.Orleans;
using Coordinator.Raft;

namespace Coordinator.Tests.Orleans;

/// <summary>Where peers go, without Orleans: silos are letters.</summary>
public sealed class PeerSpreadTests
{
    private static readonly PeerId[] Three = Ids(3);

    [Fact]
    public void Peers_that_are_nowhere_go_to_silos_of_their_own_though_each_is_placed_without_the_others()
    {
        Spot<char>[] spots = Spots("a b c");
        Assert.Equal("abc", string.Concat(Three.Select(peer => PeerSpread.Choose(peer, spots, NoPlaces, Three))));
    }

    [Fact]
    public void A_peer_goes_to_the_silo_that_has_none()
    {
        var placed = new Dictionary<PeerId, char> { [new(1)] = 'a', [new(3)] = 'c' };
        Assert.Equal('b', PeerSpread.Choose(new(2), Spots("a b c"), placed, Three));
    }

    [Fact]
    public void A_silo_gets_a_second_peer_only_when_every_other_has_one()
    {
        var placed = new Dictionary<PeerId, char> { [new(1)] = 'a', [new(2)] = 'b' };
        Assert.Equal('a', PeerSpread.Choose(new(3), Spots("a b"), placed, Three));
        for (int seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            Spot<char>[] spots = Spots(string.Join(' ', "abcdef"[..random.Next(1, 7)].ToArray()));
            PeerId[] peers = Ids(random.Next(1, 8));
            var places = new Dictionary<PeerId, char>();
            foreach (PeerId peer in peers)
                places[peer] = PeerSpread.Choose(peer, spots, places, peers);
            int[] counts = [.. spots.Select(spot => places.Values.Count(silo => silo == spot.Silo))];
            Assert.True(counts.Max() - counts.Min() <= 1, $"seed {seed}: {string.Join(',', counts)}");
        }
    }

    [Fact]
    public void Zones_share_the_peers_before_silos_of_one_zone_do()
    {
        Spot<char>[] spots = Spots("a:x b:x c:x d:y e:z");
        var placed = new Dictionary<PeerId, char>();
        foreach (PeerId peer in Three)
            placed[peer] = PeerSpread.Choose(peer, spots, placed, Three);
        Assert.Equal("ade", string.Concat(placed.Values.Order()));
    }

    [Fact]
    public void When_a_silo_is_back_the_fullest_gives_a_peer_and_keeps_its_leader()
    {
        var placed = new Dictionary<PeerId, char> { [new(1)] = 'a', [new(2)] = 'b', [new(3)] = 'b' };
        Assert.Equal(new PeerId(2), PeerSpread.ToMove('b', Spots("a b c"), placed, leader: new(3)));
        Assert.Equal(new PeerId(3), PeerSpread.ToMove('b', Spots("a b c"), placed, leader: new(1)));
        Assert.Null(PeerSpread.ToMove('a', Spots("a b c"), placed, leader: new(1)));
    }

    [Fact]
    public void Nothing_moves_while_every_silo_has_a_peer()
    {
        var placed = new Dictionary<PeerId, char> { [new(1)] = 'a', [new(2)] = 'b', [new(3)] = 'b' };
        Assert.Null(PeerSpread.ToMove('b', Spots("a b"), placed, leader: new(1)));
    }

    [Fact]
    public void Of_two_silos_that_have_too_many_only_one_gives()
    {
        var placed = new Dictionary<PeerId, char>
        {
            [new(1)] = 'a',
            [new(2)] = 'a',
            [new(3)] = 'b',
            [new(4)] = 'b',
            [new(5)] = 'b',
        };
        Spot<char>[] spots = Spots("a b c");
        Assert.Null(PeerSpread.ToMove('a', spots, placed, leader: new(1)));
        Assert.Equal(new PeerId(5), PeerSpread.ToMove('b', spots, placed, leader: new(1)));
    }

    private static Dictionary<PeerId, char> NoPlaces => [];

    private static PeerId[] Ids(int count) => [.. Enumerable.Range(1, count).Select(id => new PeerId(id))];

    /// <summary>"a:x" is silo a in zone x.</summary>
    private static Spot<char>[] Spots(string text) =>
        [.. text.Split(' ').Select(spot => new Spot<char>(spot[0], spot.Length > 2 ? spot[2..] : ""))];
}
