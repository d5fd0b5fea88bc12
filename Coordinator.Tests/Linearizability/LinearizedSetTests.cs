using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

public sealed class LinearizedSetTests
{
    [Fact]
    public void Fingerprints_are_equal_exactly_if_the_sets_are()
    {
        const int Known = 200;
        const int Unknown = 70;
        int returns = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            Random random = new(seed);
            LinearizedSet set = new(Known, Unknown);
            SortedSet<int> model = [];
            Dictionary<LinearizedSet.Fingerprint, string> seen = [];
            Dictionary<string, LinearizedSet.Fingerprint> fingerprints = [];
            for (int i = 0; i < 3_000; i++)
            {
                // Mostly at the edge of what is placed, as the search does it, so that whole words fill and empty.
                int at = random.Next(20) == 0 ? random.Next(Known + Unknown)
                    : Math.Clamp(model.Count + random.Next(-3, 3), 0, Known + Unknown - 1);
                Candidate candidate = at < Known ? new(false, at) : new(true, at - Known);
                if (model.Remove(at))
                    set.Remove(candidate);
                else if (model.Add(at))
                    set.Add(candidate);
                string contents = string.Join(',', model);
                LinearizedSet.Fingerprint fingerprint = set.ToFingerprint();
                returns += fingerprints.ContainsKey(contents) ? 1 : 0;
                Assert.True(seen.TryAdd(fingerprint, contents) || seen[fingerprint] == contents, $"seed {seed}");
                Assert.True(fingerprints.TryAdd(contents, fingerprint) || fingerprints[contents].Equals(fingerprint),
                    $"seed {seed}");
            }
        }
        Assert.True(returns > 1_000, $"only {returns} sets came up again");
    }
}
