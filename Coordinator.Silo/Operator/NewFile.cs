using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>
/// A snapshot file in the making, under a name of its own beside the wanted one. Invariant: it takes the wanted name only
/// when it was read back, verified, and is on the disk; and never that of a file that is there.
/// </summary>
internal sealed class NewFile : IAsyncDisposable
{
    private readonly string _partial;
    private bool _isKept;

    private NewFile(string path, string partial, FileStream stream)
    {
        Path = path;
        _partial = partial;
        Stream = stream;
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    public FileStream Stream { get; }

    /// <exception cref="StartupException">There is such a file already, or none can be made.</exception>
    public static NewFile Create(string file)
    {
        string path = System.IO.Path.GetFullPath(file);
        if (File.Exists(path) || Directory.Exists(path))
            throw Exists(path);
        string partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            // Whoever reads it reads all that the group holds.
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            return new NewFile(path, partial, new FileStream(partial, options));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(ExitCode.Failed, $"{path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Reads back what was written.</summary>
    /// <exception cref="StartupException">It is damaged.</exception>
    public SnapshotFile Verify()
    {
        Stream.Flush(flushToDisk: true);
        return RestoreOptions.OpenFile(_partial);
    }

    /// <exception cref="StartupException">Somebody has made a file of the wanted name meanwhile.</exception>
    public void Keep()
    {
        try
        {
            File.Move(_partial, Path, overwrite: false);
        }
        catch (IOException) when (File.Exists(Path))
        {
            throw Exists(Path);
        }
        _isKept = true;
        FlushNameOf(Path);
    }

    /// <exception cref="StartupException">After a power failure the name may be gone.</exception>
    public static void FlushNameOf(string path)
    {
        try
        {
            FolderFlush.Flush(System.IO.Path.GetDirectoryName(path)!);
        }
        catch (IOException e)
        {
            throw new StartupException(
                ExitCode.Failed, $"{path} was written, but its name may not be on the disk: {e.Message} Keep another copy.", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        if (!_isKept)
            File.Delete(_partial);
    }

    private static StartupException Exists(string path) =>
        new(ExitCode.Failed, $"{path} is there already, and is not overwritten: choose another name.");
}
