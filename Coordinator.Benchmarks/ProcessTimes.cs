using System.Diagnostics;
using System.Globalization;

namespace Coordinator.Benchmarks;

/// <summary>What Linux says of other processes.</summary>
internal static class ProcessTimes
{
    private const int TicksPerSecond = 100;

    /// <summary>A process and its children, as of now.</summary>
    public static int[] Tree(int root) =>
    [
        root,
        .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out _))
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Where(pid => Fields(pid) is { } fields && int.Parse(fields[1], CultureInfo.InvariantCulture) == root),
    ];

    /// <summary>Processor time of those that live, and of their children that have ended; user and system.</summary>
    public static TimeSpan Of(IEnumerable<int> pids) => TimeSpan.FromSeconds(
        pids.Sum(pid => Fields(pid) is { } fields
            ? fields[11..15].Sum(ticks => double.Parse(ticks, CultureInfo.InvariantCulture))
            : 0) / TicksPerSecond);

    public static long ResidentBytes(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.WorkingSet64;
    }

    /// <summary>Of /proc/PID/stat what follows the name, which may hold anything; null: it has ended.</summary>
    private static string[]? Fields(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
