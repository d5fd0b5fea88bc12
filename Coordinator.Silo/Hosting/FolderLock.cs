using System.Globalization;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// The exclusive use of a folder by one process, held by the kernel: it lets go when the process dies, however it dies.
/// Who holds it stands in a second file, for the one who is refused (a locked file cannot be read on Windows).
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private const string LockName = "silo.lock";
    private const string HolderName = "silo.pid";
    private readonly FileStream _lock;
    private readonly string _holderPath;

    private FolderLock(FileStream @lock, string holderPath)
    {
        _lock = @lock;
        _holderPath = holderPath;
    }

    /// <exception cref="StartupException">Another process has it, or the folder cannot be used.</exception>
    public static FolderLock Take(string folder)
    {
        string path = Path.Combine(folder, LockName);
        string holderPath = Path.Combine(folder, HolderName);
        try
        {
            FileStream held = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(holderPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new FolderLock(held, holderPath);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException(
                ExitCode.Failed, $"The data folder {folder} cannot be written by this user: {e.Message}", e);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new StartupException(
                ExitCode.DataFolderInUse,
                $"The data folder {folder} is in use by another silo{DescribeHolder(holderPath)}. "
                + "Stop that silo, or give this one a folder of its own with --data (option Coordinator:DataFolder).",
                e);
        }
    }

    public void Dispose()
    {
        File.Delete(_holderPath);
        _lock.Dispose();
    }

    private static string DescribeHolder(string holderPath)
    {
        try
        {
            return $" (pid {File.ReadAllText(holderPath)})";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
