namespace Coordinator.Tests.Conformance;

/// <summary>Runs a transcript and compares, command by command.</summary>
internal static class Transcripts
{
    public static void Run(IReadOnlyList<Directive> directives, string name)
    {
        TranscriptCluster cluster = new();
        foreach (Directive directive in directives)
        {
            string expected = TranscriptOutput.Behaviour(directive.Expected);
            string actual = TranscriptOutput.Behaviour(cluster.Run(directive));
            Assert.True(
                expected == actual,
                $"{name}:{directive.Line}: {directive.Command}\n--- expected\n{expected}\n--- got\n{actual}");
        }
    }
}
