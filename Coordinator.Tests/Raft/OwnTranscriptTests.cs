using Coordinator.Tests.Conformance;

namespace Coordinator.Tests.Raft;

/// <summary>
/// Transcripts of the project's own, in the format of the public ones, for what those don't cover. Files in
/// <c>Transcripts</c> are run whatever their names.
/// </summary>
public sealed class OwnTranscriptTests
{
    private const string Folder = "Coordinator.Tests/Raft/Transcripts";

    public static TheoryData<string> Files() =>
    [
        .. Directory.GetFiles(ProjectFiles.PathOf(Folder)).Select(path => Path.GetFileName(path)!)
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_transcript_runs_as_written(string file) =>
        Transcripts.Run(DirectiveFile.Parse(ProjectFiles.Read($"{Folder}/{file}")), file);
}
