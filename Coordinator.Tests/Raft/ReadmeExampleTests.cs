namespace Coordinator.Tests.Raft;

public sealed class ReadmeExampleTests
{
    [Fact]
    public void The_example_does_what_it_says() =>
        Assert.All(ReadmeExample.Run(), node => Assert.Equal("blue", node.Map["colour"]));

    [Fact]
    public void The_README_shows_the_example_that_runs_here()
    {
        string source = ProjectFiles.Read("Coordinator.Tests/Raft/ReadmeExample.cs");
        int begin = source.IndexOf("// begin of the example\n", StringComparison.Ordinal);
        int end = source.IndexOf("    // end of the example", StringComparison.Ordinal);
        string example = string.Join('\n', source[begin..end].Split('\n').Skip(1)
            .Select(line => line.StartsWith("    ", StringComparison.Ordinal) ? line[4..] : line));

        Assert.Contains($"```csharp\n{example}```", ProjectFiles.Read("Coordinator.Raft/README.md"), StringComparison.Ordinal);
    }
}
