using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--seeds")]
    [InlineData("--seeds", "many")]
    [InlineData("--seed", "-1")]
    [InlineData("--no-such-option", "1")]
    public void What_is_not_understood_is_said_with_the_usage(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        Assert.Equal(2, CommandLine.Run(args, output, errors));
        Assert.Contains(args[0], errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("--seed S", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_of_seeds_prints_what_happened()
    {
        using var output = new StringWriter();
        Assert.Equal(0, CommandLine.Run(["--seeds", "2", "--from", "5"], output, TextWriter.Null));
        Assert.Contains("2 seeds well", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_shows_a_line_an_event()
    {
        using var output = new StringWriter();
        Assert.Equal(0, CommandLine.Run(["--seed", "5", "--trace"], output, TextWriter.Null));
        Assert.Contains("landed", output.ToString(), StringComparison.Ordinal);
    }
}
