using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

/// <summary>
/// Bugs that the simulator once found in this code, each planted again at a seed that shows it. What a seed means changes
/// with everything that draws or waits, so where the first seed is silent some after it are tried.
/// </summary>
public sealed class NamedSeedTests
{
    private const ulong Window = 25;

    [Theory]
    [InlineData("a lost snapshot never sent again", 21UL)]
    [InlineData("a stored tail taken for committed", 7UL)]
    [InlineData("an installed snapshot is written again", 3UL)]
    public void A_bug_that_was_mended_shows_at_its_seed_and_the_seed_is_well_without_it(string name, ulong seed)
    {
        PlantedBug bug = PlantedBugs.All.Single(planted => planted.Name == name);
        ulong? shows = null;
        for (ulong next = seed; next < seed + Window && shows is null; next++)
        {
            if (Violation(next, bug) is not null)
                shows = next;
        }
        Assert.True(shows is not null, $"Seeds {seed} to {seed + Window - 1} show \"{name}\" no longer. Another: dotnet run -c Release --project Coordinator.Simulation -- --bugs --only \"{name}\"");
        Assert.Null(Violation(shows.Value, PlantedBug.None)?.Message);
    }

    /// <summary>Its last voter but one went on pausing for ten seconds after all was healed.</summary>
    [Fact]
    public void A_pause_ends_when_all_is_healed() => Assert.Null(Violation(208, PlantedBug.None)?.Message);

    private static InvariantViolation? Violation(ulong seed, PlantedBug bug)
    {
        try
        {
            SimulationRun.Run(seed, bug);
            return null;
        }
        catch (InvariantViolation violation)
        {
            return violation;
        }
    }
}
