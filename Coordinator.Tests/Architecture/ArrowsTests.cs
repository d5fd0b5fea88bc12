using System.Xml.Linq;

namespace Coordinator.Tests.Architecture;

/// <summary>The design's arrows between projects, held: who may know whom.</summary>
public sealed class ArrowsTests
{
    public static TheoryData<string, string[], string[]> Arrows => new()
    {
        { "Coordinator.Contracts", [], ["Google.Protobuf", "Grpc.Tools"] },
        { "Coordinator.Raft", [], ["Microsoft.CodeAnalysis.BannedApiAnalyzers"] },
        {
            "Coordinator.Replica", ["Coordinator.Contracts", "Coordinator.Raft"],
            ["Microsoft.CodeAnalysis.BannedApiAnalyzers"]
        },
        { "Coordinator.Grains", ["Coordinator.Replica"], ["Npgsql"] },
        { "Coordinator.Silo", ["Coordinator.Grains"], [] },
        { "Coordinator.Client", ["Coordinator.Contracts"], ["Microsoft.Extensions.Logging.Abstractions"] },
        { "Coordinator.Simulation", ["Coordinator.Client", "Coordinator.Replica"], [] },
    };

    [Theory]
    [MemberData(nameof(Arrows))]
    public void A_project_refers_to_what_the_design_says_and_to_nothing_else(
        string project, string[] projects, string[] packages)
    {
        XDocument file = XDocument.Load(Path.Combine(RepositoryRoot.Path, project, project + ".csproj"));
        List<string> imported = [.. file.Descendants("Import").Select(import => Path.Combine(
            RepositoryRoot.Path, project, import.Attribute("Project")!.Value))];
        IEnumerable<XElement> Items(string kind) => file.Descendants(kind)
            .Concat(imported.SelectMany(path => XDocument.Load(path).Descendants(kind)));

        Assert.Equal(projects, Items("ProjectReference")
            .Select(item => Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value)).Order());
        Assert.Equal(packages, Items("PackageReference").Where(item => !IsOptional(item))
            .Select(item => item.Attribute("Include")!.Value).Order());
    }

    [Theory]
    [InlineData(typeof(Coordinator.Raft.RawNode))]
    [InlineData(typeof(Coordinator.Replica.ReplicaMachine))]
    public void A_pure_assembly_refers_to_no_thread_task_network_file_or_database_library(Type inAssembly)
    {
        string[] allowed =
        [
            "System.Runtime", "System.Collections", "System.Linq", "System.Memory", "System.Runtime.InteropServices",
            "System.Runtime.Extensions", "System.Numerics.Vectors", "Google.Protobuf", "Coordinator.Raft",
            "Coordinator.Contracts", "System.Runtime.Intrinsics", "System.Text.Encoding.Extensions",
        ];
        IEnumerable<string> referenced = inAssembly.Assembly.GetReferencedAssemblies().Select(name => name.Name!);
        Assert.Empty(referenced.Except(allowed));
    }

    [Fact]
    public void Every_project_of_the_solution_exists_and_every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Coordinator.sln"));
        string[] projects = [.. Directory.GetDirectories(RepositoryRoot.Path, "Coordinator.*")
            .Select(folder => Path.GetFileName(folder)!).Order()];
        Assert.Equal(9, projects.Length);
        Assert.All(projects, project => Assert.Contains($"{project}.csproj", solution, StringComparison.Ordinal));
    }

    private static bool IsOptional(XElement item) =>
        item.Attribute("Condition") is not null || item.Parent?.Attribute("Condition") is not null;
}
