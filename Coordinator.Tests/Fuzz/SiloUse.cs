using System.Globalization;

namespace Coordinator.Tests.Fuzz;

/// <summary>What a process takes of its machine, as the kernel tells it.</summary>
internal readonly record struct SiloUse(long ResidentBytes, int Sockets)
{
    public static SiloUse Of(int pid) => new(ResidentBytesOf(pid), SocketsOf(pid));

    private static long ResidentBytesOf(int pid)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    private static int SocketsOf(int pid) => Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd")
        .Count(fd => new FileInfo(fd).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);
}
