using System.Runtime.InteropServices;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// Ctrl-C and its like. The first asks to stop in order; a second one, or <see cref="Patience"/> after the first, ends
/// the process by force. So a stop takes less than ten seconds whatever hangs.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(9);

    // A launcher and a terminal may each pass on the same Ctrl-C: that is one, not an impatient second.
    private static readonly TimeSpan SameSignal = TimeSpan.FromMilliseconds(500);

    private const int InterruptNumber = 2; // SIGINT and SIG_DFL, the same on Linux and macOS.
    private const nint DefaultHandler = 0;

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Action _force;
    private long? _firstAt;

    /// <param name="force">Ends the process; called from a thread of its own.</param>
    public StopSignals(Action force, TimeProvider time)
    {
        _force = force;
        _time = time;
        HeedInterrupts();
        foreach (PosixSignal signal in new[]
            { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }
    }

    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Which signal it was; empty before one came.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Whether the process is being ended by force.</summary>
    public bool IsForced { get; private set; }

    public void Dispose()
    {
        _ended.Set();
        _registrations.ForEach(registration => registration.Dispose());
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_registrations)
        {
            if (_firstAt is { } firstAt)
            {
                if (_time.GetElapsedTime(firstAt) > SameSignal)
                {
                    StartThread(Force);
                }

                return;
            }

            _firstAt = _time.GetTimestamp();
        }

        Reason = context.Signal == PosixSignal.SIGINT ? "Ctrl-C" : context.Signal.ToString();

        // A thread, not a timer: it has to act even when the thread pool is what hangs.
        StartThread(() =>
        {
            if (!_ended.Wait(Patience))
            {
                Force();
            }
        });
        _stopping.Cancel();
    }

    private void Force()
    {
        IsForced = true;
        _force();
    }

    // A shell starts what it puts into the background with SIGINT ignored, and .NET leaves it so; but whoever sends it
    // to a silo means it.
    private static void HeedInterrupts()
    {
        if (!OperatingSystem.IsWindows())
        {
            SetHandler(InterruptNumber, DefaultHandler);
        }
    }

    private static void StartThread(Action action) => new Thread(() => action()) { IsBackground = true }.Start();

    [DllImport("libc", EntryPoint = "signal")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SetHandler(int signal, nint handler);
}
