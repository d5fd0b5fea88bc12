namespace Coordinator.Silo.Hosting;

/// <summary>
/// A folder for the silo alone. When the silo is root, the user that PostgreSQL runs as has to pass through it, but not
/// to look around in it. A folder that is there already keeps its mode.
/// </summary>
internal static class PassableFolder
{
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows() || Directory.Exists(path))
        {
            Directory.CreateDirectory(path);
            return;
        }

        const UnixFileMode own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(path, own);
        if (Environment.IsPrivilegedProcess)
        {
            // Set, not asked for at creation: a strict umask would take it away again.
            File.SetUnixFileMode(path, own | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
    }
}
