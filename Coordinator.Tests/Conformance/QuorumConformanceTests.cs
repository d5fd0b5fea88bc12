using Coordinator.Raft;
using Coordinator.Raft.Quorum;

namespace Coordinator.Tests.Conformance;

/// <summary>
/// Quorum decisions: majority and joint, commit and vote; the last line of the output is the verdict.
/// </summary>
public sealed class QuorumConformanceTests
{
    internal const string Part = "etcd-raft/quorum";

    public static TheoryData<string> Files() => ConformanceFolder.FilesOf(Part);

    [ConformanceTheory(Part)]
    [MemberData(nameof(Files))]
    public void Every_quorum_decision_is_as_published(string file)
    {
        List<string> wrong = [];
        foreach (Directive directive in DirectiveFile.Read(Path.Combine(ConformanceFolder.Of(Part), file)))
        {
            // An empty quorum's drawing ends without a line break.
            string expected = directive.Expected.TrimEnd().Split('\n', '>')[^1].Trim();
            string actual = string.Join(", ", Decide(directive).Distinct());
            if (actual != expected)
            {
                wrong.Add($"{file}:{directive.Line}: expected {expected}, got {actual}");
            }
        }

        Assert.Empty(wrong);
    }

    /// <summary>The decision, and every other way to ask for it, which must agree.</summary>
    private static IEnumerable<string> Decide(Directive directive)
    {
        PeerId[] incoming = Ids(directive.Find("cfg"));
        PeerId[] outgoing = Ids(directive.Find("cfgj"));
        bool joint = directive.Find("cfgj") is not null;
        MajorityConfig one = MajorityConfig.Create(incoming);
        MajorityConfig other = MajorityConfig.Create(outgoing);
        bool vote = directive.Command == "vote";
        Dictionary<PeerId, string> given = Given(directive.Find(vote ? "votes" : "idx"), [.. incoming, .. outgoing]);
        return vote
            ? Votes(one, other, joint, id => given.TryGetValue(id, out string? v) ? v == "y" : null)
            : Indexes(one, other, joint, id => given.TryGetValue(id, out string? v) ? long.Parse(v, null) : null);
    }

    private static IEnumerable<string> Votes(
        MajorityConfig one, MajorityConfig other, bool joint, Func<PeerId, bool?> vote)
    {
        if (!joint)
        {
            yield return Text(one.VoteResult(vote));
            yield return Text(new JointConfig(one, one).VoteResult(vote));
        }

        yield return Text(new JointConfig(one, other).VoteResult(vote));
        yield return Text(new JointConfig(other, one).VoteResult(vote));
    }

    private static IEnumerable<string> Indexes(
        MajorityConfig one, MajorityConfig other, bool joint, Func<PeerId, long?> index)
    {
        yield return Text(new JointConfig(one, other).CommittedIndex(index));
        yield return Text(new JointConfig(other, one).CommittedIndex(index));
        if (joint)
        {
            yield break;
        }

        long committed = one.CommittedIndex(index);
        yield return Text(committed);
        yield return Text(new JointConfig(one, one).CommittedIndex(index));
        yield return Text(ByCounting(one, index));
        foreach (PeerId low in (IEnumerable<PeerId>)one)
        {
            if (index(low) is > 0 and long behind && behind < committed)
            {
                // Whoever is behind the verdict may fall further behind without changing it.
                yield return Text(one.CommittedIndex(id => id == low ? behind - 1 : index(id)));
                yield return Text(one.CommittedIndex(id => id == low ? 0 : index(id)));
            }
        }
    }

    private static long ByCounting(MajorityConfig config, Func<PeerId, long?> index)
    {
        if (config.IsEmpty)
        {
            return long.MaxValue;
        }

        long best = 0;
        foreach (PeerId candidate in (IEnumerable<PeerId>)config)
        {
            long value = index(candidate) ?? 0;
            int reached = ((IEnumerable<PeerId>)config).Count(id => (index(id) ?? 0) >= value);
            best = reached > config.Count / 2 ? Math.Max(best, value) : best;
        }

        return best;
    }

    private static string Text(VoteResult result) => $"Vote{result}";

    private static string Text(long index) =>
        index == long.MaxValue ? "∞" : index.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static PeerId[] Ids(Argument? argument) => argument is null || argument.Values is ["zero"]
        ? []
        : [.. argument.Values!.Select(v => new PeerId(long.Parse(v, null)))];

    /// <summary>Values belong to the ids in order of first mention; an underscore is none.</summary>
    private static Dictionary<PeerId, string> Given(Argument? values, PeerId[] mentioned)
    {
        PeerId[] ids = [.. mentioned.Distinct()];
        Assert.Equal(ids.Length, values?.Values!.Count ?? 0);
        return ids.Select((id, i) => (id, Value: values!.Values![i]))
            .Where(given => given.Value != "_")
            .ToDictionary(given => given.id, given => given.Value);
    }
}
