using Coordinator.Grains.Backup;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>
/// A folder of snapshot files in the making, one of each group, under a name of its own beside the wanted one. Invariant: it
/// takes the wanted name only when each of them is whole, verified and on the disk; and never that of one that is there.
/// </summary>
internal sealed class NewFolder : IDisposable
{
    private readonly string _partial;
    private bool _isKept;

    private NewFolder(string path, string partial)
    {
        Path = path;
        _partial = partial;
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <exception cref="StartupException">There is such a folder already, or none can be made.</exception>
    public static NewFolder Create(string folder)
    {
        string path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder));
        if (File.Exists(path) || Directory.Exists(path))
            throw Exists(path);
        string partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(partial);
            else
                Directory.CreateDirectory(partial, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new NewFolder(path, partial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(ExitCode.Failed, $"{path} cannot be made: {e.Message}", e);
        }
    }

    /// <param name="write">Writes the group's file.</param>
    /// <exception cref="StartupException">What was written is damaged.</exception>
    public async Task<SnapshotFile> AddAsync(int group, Func<Stream, Task> write)
    {
        await using NewFile target = NewFile.Create(System.IO.Path.Combine(_partial, $"group-{group}.snapshot"));
        await write(target.Stream);
        SnapshotFile made = target.Verify();
        target.Keep();
        return made;
    }

    /// <exception cref="StartupException">Somebody has made something of the wanted name meanwhile.</exception>
    public void Keep()
    {
        try
        {
            Directory.Move(_partial, Path);
        }
        catch (IOException) when (File.Exists(Path) || Directory.Exists(Path))
        {
            throw Exists(Path);
        }
        _isKept = true;
        NewFile.FlushNameOf(Path);
    }

    public void Dispose()
    {
        if (!_isKept)
            Directory.Delete(_partial, recursive: true);
    }

    private static StartupException Exists(string path) =>
        new(ExitCode.Failed, $"{path} is there already, and nothing is put into it: choose another name.");
}
