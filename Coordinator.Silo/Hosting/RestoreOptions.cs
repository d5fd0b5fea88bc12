using Coordinator.Grains.Backup;

namespace Coordinator.Silo.Hosting;

/// <summary>What a new cluster is to be made of, in empty databases.</summary>
/// <param name="File">Absolute: the file of the only group, or a folder with one of each group.</param>
/// <param name="Floor">Log index and revision begin here at the lowest.</param>
/// <param name="HoldBack">Null: as long as any holder may live.</param>
internal sealed record RestoreOptions(string File, long Floor, TimeSpan? HoldBack)
{
    private const string Pattern = "*.snapshot";

    /// <exception cref="StartupException">A file cannot be read, is damaged, or is missing, or they do not allow what was asked.</exception>
    public ClusterRestore Open(int groups)
    {
        ClusterRestore restore = new() { Files = [.. FilesIn(File).Select(OpenFile)], Floor = Floor, HoldBack = HoldBack };
        return restore.Problem(groups) is { } problem
            ? throw new StartupException(ExitCode.BadSnapshot, $"{File} cannot be restored so: {problem}.")
            : restore;
    }

    /// <summary>The snapshot files in a folder, by their names; what is no folder is one itself.</summary>
    /// <exception cref="StartupException">The folder has none, or cannot be read.</exception>
    public static IReadOnlyList<string> FilesIn(string path)
    {
        if (!Directory.Exists(path))
            return [path];
        try
        {
            return Directory.GetFiles(path, Pattern) is { Length: > 0 } files
                ? [.. files.Order(StringComparer.Ordinal)]
                : throw new StartupException(ExitCode.BadSnapshot, $"The folder {path} has no file with a name such as {Pattern}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(ExitCode.Failed, $"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <exception cref="StartupException">The file cannot be read, or is damaged.</exception>
    public static SnapshotFile OpenFile(string path)
    {
        try
        {
            return SnapshotFile.Parse(System.IO.File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new StartupException(ExitCode.BadSnapshot, $"{path} is no snapshot that can be used: {e.Message}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(ExitCode.Failed, $"{path} cannot be read: {e.Message}", e);
        }
    }
}
