using Coordinator.Contracts;
using Coordinator.Silo.Links;
using Google.Protobuf;

namespace Coordinator.Tests.Links;

public sealed class FactsPiecesTests
{
    [Fact]
    public void A_thousand_groups_go_in_small_pieces_of_which_the_last_alone_says_that_all_run()
    {
        SiloFacts facts = Facts(Enumerable.Range(0, 1000).Select(group => Fact(group, 1)));
        IReadOnlyList<SiloFacts> pieces = new FactsPieces().Next(facts);
        Assert.All(pieces, piece => Assert.InRange(new LinkFrame { Facts = piece }.CalculateSize(), 1, LinkLimits.SmallFrameBytesMax));
        Assert.Equal([.. Enumerable.Repeat(false, pieces.Count - 1), true], pieces.Select(piece => piece.AllRun));
        Assert.Equal([false, .. Enumerable.Repeat(true, pieces.Count - 1)], pieces.Select(piece => piece.Partial));
        Assert.Equal(facts.Groups, Heard(pieces));
    }

    [Fact]
    public void Then_only_what_has_changed_is_told()
    {
        var link = new FactsPieces();
        SiloFacts first = Facts(Enumerable.Range(0, 1000).Select(group => Fact(group, 1)));
        link.Next(first);
        SiloFacts second = Facts([.. first.Groups.Take(400), Fact(400, 2), .. first.Groups.Skip(401)]);
        SiloFacts change = Assert.Single(link.Next(second));
        Assert.Equal(400, Assert.Single(change.Groups).Group);
        Assert.True(change.AllRun);
        Assert.True(change.Partial);
    }

    [Fact]
    public void A_group_without_a_peer_any_longer_is_named()
    {
        var link = new FactsPieces();
        link.Next(Facts([Fact(0, 1), Fact(1, 1), Fact(2, 1)]));
        SiloFacts change = Assert.Single(link.Next(Facts([Fact(0, 1), Fact(2, 1)])));
        Assert.Equal([1], change.Emptied);
        Assert.Empty(change.Groups);
    }

    [Fact]
    public void Whoever_hears_all_pieces_knows_what_was_told_last()
    {
        var random = new Random(7);
        var link = new FactsPieces();
        List<SiloFacts> pieces = [];
        SiloFacts facts = new();
        for (int round = 0; round < 50; round++)
        {
            facts = Facts(Enumerable.Range(0, 300).Where(_ => random.Next(10) > 0).Select(group => Fact(group, random.Next(3))));
            pieces.AddRange(link.Next(facts));
            Assert.Equal(facts.Groups, Heard(pieces));
        }
    }

    /// <summary>As a silo takes them in.</summary>
    private static GroupFact[] Heard(IEnumerable<SiloFacts> pieces)
    {
        var known = new SortedDictionary<int, GroupFact>();
        foreach (SiloFacts piece in pieces)
        {
            if (!piece.Partial)
                known.Clear();
            foreach (int emptied in piece.Emptied)
                known.Remove(emptied);
            foreach (GroupFact fact in piece.Groups)
                known[fact.Group] = fact;
        }
        return [.. known.Values];
    }

    private static SiloFacts Facts(IEnumerable<GroupFact> groups)
    {
        var facts = new SiloFacts { AllRun = true, ClusterId = ByteString.CopyFrom(new byte[16]) };
        facts.Groups.Add(groups);
        return facts;
    }

    private static GroupFact Fact(int group, long term) => new()
    {
        Group = group,
        PeerId = 1,
        Term = term,
        StorageId = ByteString.CopyFrom(new byte[16]),
        State = "follower",
        Members = { Enumerable.Range(1, 3).Select(peer => new MemberFact { PeerId = peer, StorageId = ByteString.CopyFrom(new byte[16]), Silo = $"silo{peer}" }) },
    };
}
