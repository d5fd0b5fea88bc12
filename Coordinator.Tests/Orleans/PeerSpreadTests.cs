using Coordinator.Grains.Orleans;
using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Orleans;

/// <summary>Where peers go, without Orleans: silos are letters.</summary>
public sealed class PeerSpreadTests
{
    private static readonly PeerId[] Three = Ids(3);

    [Fact]
    public void Peers_that_are_nowhere_go_to_silos_of_their_own_though_each_is_placed_without_the_others()
    {
        Spot<char>[] spots = Spots("a b c");
        Assert.Equal("abc", string.Concat(Three.Select(peer => PeerSpread.Choose(new(0, peer), spots, NoPlaces, Three))));
    }

    [Fact]
    public void A_peer_goes_to_the_silo_that_has_none()
    {
        var placed = new Dictionary<PeerId, char> { [new(1)] = 'a', [new(3)] = 'c' };
        Assert.Equal('b', PeerSpread.Choose(new(0, new(2)), Spots("a b c"), placed, Three));
    }

    [Fact]
    public void A_silo_gets_a_second_peer_only_when_every_other_has_one()
    {
        var placed = new Dictionary<PeerId, char> { [new(1)] = 'a', [new(2)] = 'b' };
        Assert.Equal('a', PeerSpread.Choose(new(0, new(3)), Spots("a b"), placed, Three));
        for (int seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            Spot<char>[] spots = Spots(string.Join(' ', "abcdef"[..random.Next(1, 7)].ToArray()));
            PeerId[] peers = Ids(random.Next(1, 8));
            var places = new Dictionary<PeerId, char>();
            foreach (PeerId peer in peers)
                places[peer] = PeerSpread.Choose(new(0, peer), spots, places, peers);
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
            placed[peer] = PeerSpread.Choose(new(0, peer), spots, placed, Three);
        Assert.Equal("ade", string.Concat(placed.Values.Order()));
    }

    [Fact]
    public void Each_group_begins_with_another_silo()
    {
        Spot<char>[] spots = Spots("a b c d e");
        string[] placed = [.. Enumerable.Range(0, 10).Select(group =>
            string.Concat(Three.Select(peer => PeerSpread.Choose(new(group, peer), spots, NoPlaces, Three))))];
        Assert.Equal(["abc", "bcd", "cde", "dea", "eab"], placed[..5]);
        Assert.Equal(placed[..5], placed[5..]);
    }

    [Fact]
    public void A_peer_that_is_moved_goes_where_no_other_silo_has_fewer_of_its_group()
    {
        var placed = new Dictionary<PeerId, char> { [new(1)] = 'a', [new(2)] = 'b', [new(3)] = 'b' };
        Spot<char>[] spots = Spots("a b c d");
        Assert.Equal("acd", string.Concat("abcd".Where(silo => PeerSpread.MayHave(silo, new(1), spots, placed))));
        Assert.Equal("cd", string.Concat("abcd".Where(silo => PeerSpread.MayHave(silo, new(2), spots, placed))));
    }

    [Fact]
    public void When_a_silo_is_back_the_fullest_gives_a_peer_and_keeps_its_leader()
    {
        Assert.Equal("2>c", Moves('b', "a b c", leader: 3, "abb"));
        Assert.Equal("3>c", Moves('b', "a b c", leader: 1, "abb"));
        Assert.Equal("", Moves('a', "a b c", leader: 1, "abb"));
    }

    [Fact]
    public void Nothing_moves_while_every_silo_has_a_peer_and_none_has_two_more_than_another() =>
        Assert.Equal("", Moves('b', "a b", leader: 1, "abb"));

    [Fact]
    public void Of_two_silos_that_have_too_many_only_one_gives()
    {
        Assert.Equal("", Moves('a', "a b c", leader: 1, "aabbb"));
        Assert.Equal("5>c", Moves('b', "a b c", leader: 1, "aabbb"));
    }

    [Fact]
    public void Of_each_group_one_peer_goes_and_to_the_silo_that_has_fewest()
    {
        // Silos c and d have none: the groups' peers are shared out between them.
        Assert.Equal("0/3>c 1/3>d 2/3>c", Moves('a', "a b c d", leader: 1, "aba", "aba", "aba", "bab"));
        Assert.Equal("0/3>c 1/3>d", Moves('a', "a b c d", leader: 1, most: 2, "aba", "aba", "aba", "bab"));
        Assert.Equal("3/3>d", Moves('b', "a b c d", leader: 1, "aba", "aba", "aba", "bab"));
    }

    [Fact]
    public void When_no_silo_has_several_of_a_group_the_one_that_has_most_in_all_gives_to_the_one_that_has_fewest()
    {
        // a, b and c have four each, and d has come: three are everybody's share.
        Assert.Equal("0/1>d", Moves('a', "a b c d", leader: 2, "abc", "abc", "abc", "abc"));
        Assert.Equal("", Moves('b', "a b c d", leader: 2, "abc", "abc", "abc", "abc"));
        // A difference of one is left alone.
        Assert.Equal("", Moves('b', "a b c d", leader: 2, "bcd", "abd", "abc"));
    }

    [Fact]
    public void Moves_come_to_an_end_with_all_groups_apart_and_all_silos_as_full()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            Spot<char>[] spots = Spots(string.Join(' ', "abcdef"[..random.Next(1, 7)].ToArray()));
            int peers = 1 + (2 * random.Next(0, 3));
            var placed = new Dictionary<PeerKey, char>();
            for (int group = 0; group < 20; group++)
            {
                foreach (PeerId peer in Ids(peers))
                    placed[new(group, peer)] = spots[random.Next(spots.Length)].Silo;
            }
            int steps = 0;
            for (bool any = true; any; steps++)
            {
                Assert.True(steps < 200, $"seed {seed}: peers move for ever");
                any = false;
                foreach (Spot<char> own in spots)
                {
                    foreach (PeerMove<char> move in PeerSpread.Moves(own.Silo, spots, placed, _ => false, most: 4))
                    {
                        Assert.Equal(own.Silo, placed[move.Peer]);
                        placed[move.Peer] = move.To;
                        any = true;
                    }
                }
            }
            int[] totals = [.. spots.Select(spot => placed.Values.Count(silo => silo == spot.Silo))];
            Assert.True(totals.Max() - totals.Min() <= 1, $"seed {seed}: {string.Join(',', totals)}");
            foreach (IGrouping<int, KeyValuePair<PeerKey, char>> group in placed.GroupBy(one => one.Key.Group))
            {
                int[] counts = [.. spots.Select(spot => group.Count(one => one.Value == spot.Silo))];
                Assert.False(counts.Contains(0) && counts.Max() > 1, $"seed {seed}, group {group.Key}: {string.Join(',', counts)}");
            }
        }
    }

    /// <param name="groups">The silo of each of its peers.</param>
    private static string Moves(char own, string spots, int leader, params string[] groups) => Moves(own, spots, leader, most: 16, groups);

    private static string Moves(char own, string spots, int leader, int most, params string[] groups)
    {
        var placed = groups.SelectMany((silos, group) => silos.Select((silo, i) => (Key: new PeerKey(group, new(i + 1)), silo)))
            .ToDictionary(one => one.Key, one => one.silo);
        return string.Join(' ', PeerSpread.Moves(own, Spots(spots), placed, peer => peer.Peer == new PeerId(leader), most)
            .Select(move => $"{(groups.Length > 1 ? $"{move.Peer}" : $"{move.Peer.Peer}")}>{move.To}"));
    }

    private static Dictionary<PeerId, char> NoPlaces => [];

    private static PeerId[] Ids(int count) => [.. Enumerable.Range(1, count).Select(id => new PeerId(id))];

    /// <summary>"a:x" is silo a in zone x.</summary>
    private static Spot<char>[] Spots(string text) =>
        [.. text.Split(' ').Select(spot => new Spot<char>(spot[0], spot.Length > 2 ? spot[2..] : ""))];
}
