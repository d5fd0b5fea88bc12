namespace Coordinator.Tests.Conformance;

/// <summary>
/// Where public conformance data lies: beside the project, in <c>../shared/conformance</c>, or where the variable
/// COORDINATOR_CONFORMANCE says. Not part of the project: tests that need it skip without it.
/// </summary>
internal static class ConformanceFolder
{
    private const string Variable = "COORDINATOR_CONFORMANCE";

    public static string Path { get; } = Find();

    public static string? SkipReason(string part) => Directory.Exists(Of(part))
        ? null
        : $"No conformance data in {Of(part)}; set {Variable} to a folder that has {part}.";

    public static string Of(string part) => System.IO.Path.Combine(Path, part);

    /// <summary>All files of a part, whatever their names, in a fixed order.</summary>
    public static TheoryData<string> FilesOf(string part)
    {
        TheoryData<string> files = [];
        string[] paths = Directory.GetFiles(Of(part));
        Array.Sort(paths, StringComparer.Ordinal);
        foreach (string path in paths)
        {
            files.Add(System.IO.Path.GetFileName(path));
        }

        return files;
    }

    private static string Find()
    {
        string? named = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(named))
        {
            return named;
        }

        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Coordinator.sln")))
        {
            folder = folder.Parent;
        }

        string root = folder?.FullName ?? AppContext.BaseDirectory;
        return System.IO.Path.GetFullPath(System.IO.Path.Combine(root, "..", "shared", "conformance"));
    }
}
