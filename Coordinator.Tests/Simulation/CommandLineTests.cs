using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--seeds")]
    [InlineData("--seeds", "many")]
    [InlineData("--seed", "-1")]
    [InlineData("--no-such-option", "1")]
    [InlineData("--faults", "3,x")]
    [InlineData("--clients", "")]
    [InlineData("--until", "2.5")]
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

    [Theory]
    [InlineData(4, 0, "Linearizable: 1 keys")]
    [InlineData(3, 1, "Running at its end, and without a place")]
    public void A_history_file_is_checked(long secondToken, int exitCode, string said)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, $$$"""
                {"history":"lock","version":1}
                {"id":0,"atUs":10,"client":1,"invoke":{"op":"acquire","name":"l","session":1}}
                {"id":0,"atUs":20,"return":{"outcome":"granted","token":3}}
                {"id":1,"atUs":30,"client":1,"invoke":{"op":"release","name":"l","session":1,"token":3}}
                {"id":1,"atUs":40,"return":{"outcome":"released"}}
                {"id":2,"atUs":50,"client":2,"invoke":{"op":"acquire","name":"l","session":2}}
                {"id":2,"atUs":60,"return":{"outcome":"granted","token":{{{secondToken}}}}}
                """);
            using var output = new StringWriter();
            using var errors = new StringWriter();
            Assert.Equal(exitCode, CommandLine.Run(["--check", path, "--model", "lock"], output, errors));
            Assert.Contains(said, output.ToString(), StringComparison.Ordinal);
            Assert.Equal(2, CommandLine.Run(["--check", path, "--model", "config"], output, errors));
            Assert.Contains("not of \"config\"", errors.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_history_file_that_is_not_there_is_not_understood()
    {
        using var errors = new StringWriter();
        Assert.Equal(2, CommandLine.Run(["--check", "no such file"], TextWriter.Null, errors));
        Assert.Contains("no such file", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bug_that_nobody_knows_is_not_planted()
    {
        using var errors = new StringWriter();
        Assert.Equal(2, CommandLine.Run(["--seed", "1", "--only", "no such bug"], TextWriter.Null, errors));
        Assert.Contains("no such bug", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_of_parts_has_those_alone()
    {
        using var output = new StringWriter();
        Assert.Equal(0, CommandLine.Run(["--seed", "1", "--faults", "2", "--clients", "1", "--calm", "--trace"], output, TextWriter.Null));
        Assert.Contains(" fault 2: ", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(" fault 1: ", output.ToString(), StringComparison.Ordinal);
        Assert.Contains(" 1 clients", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failing_run_prints_how_to_replay_it_and_how_to_shrink_it()
    {
        using var output = new StringWriter();
        Assert.Equal(1, CommandLine.Run(["--seed", "1", "--only", "a token used again"], output, TextWriter.Null));
        Assert.Contains("-- --seed 1 --only \"a token used again\" --trace", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("-- --shrink 1 --only \"a token used again\"", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_shows_a_line_an_event()
    {
        using var output = new StringWriter();
        Assert.Equal(0, CommandLine.Run(["--seed", "5", "--trace"], output, TextWriter.Null));
        Assert.Contains("landed", output.ToString(), StringComparison.Ordinal);
    }
}
