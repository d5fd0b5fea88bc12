using Xunit.Abstractions;

namespace Coordinator.Tests.Conformance;

/// <summary>Protocol transcripts: every line that isn't a log line is behaviour, and must be equal.</summary>
public sealed class InteractionConformanceTests(ITestOutputHelper output)
{
    internal const string Part = "etcd-raft/interaction";

    public static TheoryData<string> Files() => ConformanceFolder.FilesOf(Part);

    [ConformanceTheory(Part)]
    [MemberData(nameof(Files))]
    public void A_transcript_runs_as_published(string file) =>
        Transcripts.Run(DirectiveFile.Read(Path.Combine(ConformanceFolder.Of(Part), file)), file);

    [ConformanceFact(Part)]
    public void No_case_has_vanished()
    {
        int transcripts = Directory.GetFiles(ConformanceFolder.Of(Part)).Length;
        int commands = Count(Part);
        int quorum = Count(QuorumConformanceTests.Part);
        int membership = Count(MembershipConformanceTests.Part);
        output.WriteLine(
            $"conformance: {quorum} quorum cases, {membership} membership cases, "
            + $"{transcripts} transcripts with {commands} commands");
        Assert.True(quorum >= 127, $"{quorum} quorum cases");
        Assert.True(membership >= 58, $"{membership} membership cases");
        Assert.True(transcripts >= 20, $"{transcripts} transcripts");
        Assert.True(commands >= 200, $"{commands} commands in the transcripts");
    }

    private static int Count(string part) =>
        Directory.GetFiles(ConformanceFolder.Of(part)).Sum(file => DirectiveFile.Read(file).Count);
}
