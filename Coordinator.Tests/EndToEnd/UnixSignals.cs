using System.Runtime.InteropServices;

namespace Coordinator.Tests.EndToEnd;

internal enum UnixSignal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

/// <summary>kill(2): the numbers are Linux's.</summary>
internal static class UnixSignals
{
    /// <param name="pid">Negative: the process group of that id.</param>
    public static void Send(int pid, UnixSignal signal)
    {
        if (Kill(pid, (int)signal) != 0)
        {
            throw new InvalidOperationException($"Process {pid} cannot be sent {signal}.");
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}
