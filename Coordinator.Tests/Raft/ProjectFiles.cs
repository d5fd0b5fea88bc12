namespace Coordinator.Tests.Raft;

/// <summary>Files of the project, found from the folder that the tests run in.</summary>
internal static class ProjectFiles
{
    public static string PathOf(string relative)
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Coordinator.sln")))
        {
            folder = folder.Parent;
        }

        Assert.True(folder is not null, $"no Coordinator.sln above {AppContext.BaseDirectory}");
        return Path.Combine(folder.FullName, relative);
    }

    public static string Read(string relative) => File.ReadAllText(PathOf(relative)).ReplaceLineEndings("\n");
}
