namespace Coordinator.Silo.Hosting;

/// <summary>The folder of all that this silo keeps, used by this process alone while the object lives.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FolderLock _lock;

    private DataFolder(string path, FolderLock @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <param name="path">Relative to the caller's directory.</param>
    public static DataFolder Open(string path)
    {
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        try
        {
            PassableFolder.Create(full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                ExitCode.Failed,
                $"The data folder {full} cannot be created: {e.Message} Choose another with --data (option Coordinator:DataFolder).",
                e);
        }

        return new DataFolder(full, FolderLock.Take(full));
    }

    public void Dispose() => _lock.Dispose();
}
