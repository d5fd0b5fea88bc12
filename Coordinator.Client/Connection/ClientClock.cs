using System.Runtime.InteropServices;
using Coordinator.Client.Machine;

namespace Coordinator.Client.Connection;

/// <summary>
/// Reads both clocks. Where the system has a monotonic clock that goes on while the machine sleeps (Linux:
/// CLOCK_BOOTTIME), that one; elsewhere a sleep shows on the wall clock alone (rule 13).
/// </summary>
internal sealed class ClientClock(TimeProvider time)
{
    private const int BootTime = 7;
    private readonly bool _hasBootTime = time == TimeProvider.System && OperatingSystem.IsLinux()
        && Environment.Is64BitProcess && TryReadBootTime(out _);

    public TimeProvider Time => time;

    public ClientInstant Now()
    {
        if (!_hasBootTime || !TryReadBootTime(out TimeSpan monotonic))
            monotonic = time.GetElapsedTime(0, time.GetTimestamp());
        return new ClientInstant(monotonic, time.GetUtcNow() - DateTimeOffset.UnixEpoch);
    }

    private static bool TryReadBootTime(out TimeSpan value)
    {
        value = default;
        try
        {
            if (ClockGetTime(BootTime, out TimeSpec spec) != 0)
                return false;
            value = new TimeSpan(spec.Seconds * TimeSpan.TicksPerSecond + spec.Nanoseconds / TimeSpan.NanosecondsPerTick);
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ClockGetTime(int clock, out TimeSpec value);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
