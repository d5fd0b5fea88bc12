using System.Globalization;

namespace Coordinator.Tests.EndToEnd.Chaos;

/// <summary>A process and those that it has started itself, as a postmaster has its backends.</summary>
internal static class ProcessTree
{
    /// <returns>All that were stopped: some may be orphans when they are to go on.</returns>
    public static int[] Stop(int pid)
    {
        int[] all = [.. ChildrenOf(pid), pid];
        Send(all, UnixSignal.Stop);
        return all;
    }

    public static void Continue(int[] stopped) => Send(stopped, UnixSignal.Continue);

    private static void Send(int[] pids, UnixSignal signal)
    {
        // Some may have ended since they were listed.
        foreach (int pid in pids.Where(pid => Directory.Exists($"/proc/{pid}")))
            UnixSignals.Send(pid, signal);
    }

    private static List<int> ChildrenOf(int pid)
    {
        List<int> children = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id) && ParentOf(folder) == pid)
                children.Add(id);
        }
        return children;
    }

    // After the name, which is in brackets and may have any character in it: the state, then the parent.
    private static int? ParentOf(string folder)
    {
        try
        {
            string stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return int.Parse(stat[(stat.LastIndexOf(')') + 1)..].Split(' ')[2], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
