using System.Diagnostics;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// A running postmaster, verified to be the one of its data folder: a pid alone could be a stranger's by now. Holds as
/// long as <see cref="IsAlive"/>: a process id that is given out again is noticed.
/// </summary>
internal sealed class Postmaster : IDisposable
{
    private readonly Process _process;
    private readonly string? _linuxStartTicks;

    private Postmaster(PostmasterFile file, Process process, string? linuxStartTicks)
    {
        File = file;
        _process = process;
        _linuxStartTicks = linuxStartTicks;
    }

    public PostmasterFile File { get; }

    public int Pid => File.Pid;

    public bool IsAlive => OperatingSystem.IsLinux()
        ? _linuxStartTicks == LinuxStartTicks(Pid)
        : !_process.HasExited;

    /// <summary>The live postmaster of <paramref name="clusterFolder"/>; null if none is found.</summary>
    public static Postmaster? Find(string clusterFolder)
    {
        if (PostmasterFile.Read(clusterFolder) is not { } file || OpenProcess(file.Pid) is not { } process)
        {
            return null;
        }

        string? startTicks = OperatingSystem.IsLinux() ? LinuxStartTicks(file.Pid) : null;
        bool isOurs = OperatingSystem.IsLinux()
            ? startTicks is not null && WorksIn(file)
            : StartedWith(process, file);
        if (isOurs)
        {
            return new Postmaster(file, process, startTicks);
        }

        process.Dispose();
        return null;
    }

    /// <summary>Whether some process, ours or not, has this id.</summary>
    public static bool IsTaken(int pid)
    {
        using Process? process = OpenProcess(pid);
        return process is not null;
    }

    /// <summary>The postmaster and its backends, at once. Safe for the data as a power cut is: they are recovered at the next start.</summary>
    public void Kill()
    {
        if (IsAlive)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose() => _process.Dispose();

    private static Process? OpenProcess(int pid)
    {
        try
        {
            return Process.GetProcessById(pid);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    // A postmaster works in its data folder: the pid file seen through it is the very file that named it.
    private static bool WorksIn(PostmasterFile file)
    {
        PostmasterFile? seen = PostmasterFile.Read($"/proc/{file.Pid}/cwd");
        return seen is not null && seen.Pid == file.Pid && seen.StartedAt == file.StartedAt
            && seen.SocketFolder == file.SocketFolder
            && ReadProc($"/proc/{file.Pid}/comm")?.StartsWith("postgres", StringComparison.Ordinal) == true;
    }

    private static bool StartedWith(Process process, PostmasterFile file)
    {
        try
        {
            TimeSpan apart = process.StartTime.ToUniversalTime() - file.StartedAt.UtcDateTime;
            return process.ProcessName.StartsWith("postgres", StringComparison.Ordinal)
                && apart.Duration() < TimeSpan.FromSeconds(10);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false; // Gone, or another user's.
        }
    }

    /// <summary>The kernel's start time of a process, by which two owners of one pid differ; null when it is dead or a zombie.</summary>
    private static string? LinuxStartTicks(int pid)
    {
        // pid (name, which may hold spaces and brackets) state ppid … starttime is field 22.
        string? stat = ReadProc($"/proc/{pid}/stat");
        string[] fields = stat is null ? [] : stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields.Length > 19 && fields[0] is not ("Z" or "X") ? fields[19] : null;
    }

    private static string? ReadProc(string path)
    {
        try
        {
            return System.IO.File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
