namespace Coordinator.Tests.Architecture;

/// <summary>The checkout that these tests were built from.</summary>
internal static class RepositoryRoot
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Coordinator.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No Coordinator.sln above {AppContext.BaseDirectory}.");
    }
}
