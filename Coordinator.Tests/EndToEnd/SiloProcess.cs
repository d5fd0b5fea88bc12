using System.Diagnostics;
using System.Net;
using System.Text;
using Coordinator.Silo.Postgres;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// The built silo, run as a real process of its own process group. Disposing kills it; what it leaves, its
/// <see cref="SiloHome"/> removes.
/// </summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    public static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new();

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly List<(string Text, int Lines, TaskCompletionSource Seen)> _awaited = [];

    private SiloProcess(SiloHome home, Process process)
    {
        Home = home;
        _process = process;
        process.OutputDataReceived += (_, line) => OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => OnLine(line.Data);
    }

    public SiloHome Home { get; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>All that it has written so far, to both of its outputs.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>The folder that the build puts the silo in, beside the one of these tests.</summary>
    public static string ProgramFolder
    {
        get
        {
            DirectoryInfo own = new(AppContext.BaseDirectory);
            return Path.Combine(own.Parent!.Parent!.FullName, "Coordinator.Silo", own.Name);
        }
    }

    public static SiloProcess Start(SiloHome home, params string[] args) => Start(home, new SiloStart(), args);

    /// <summary>Listens on the home's port and keeps its data in the home's folder, unless <paramref name="args"/> say otherwise.</summary>
    public static SiloProcess Start(SiloHome home, SiloStart start, params string[] args)
    {
        List<string> words =
            ["dotnet", Path.Combine(start.ProgramFolder ?? ProgramFolder, "Coordinator.Silo.dll"), .. start.DefaultArgs(home), .. args];

        // setsid execs here: the process keeps its id, and leads a group that can be sent Ctrl-C as a terminal does.
        ProcessStartInfo info = new("setsid", words)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home.Folder,
        };
        foreach ((string name, string value) in start.Environment)
        {
            info.Environment[name] = value;
        }

        SiloProcess silo = new(home, new Process { StartInfo = info });
        silo._process.Start();
        silo._process.BeginOutputReadLine();
        silo._process.BeginErrorReadLine();
        return silo;
    }

    /// <summary>Ends when /health/ready is 200; throws, with the output, if the silo ends first.</summary>
    public async Task ReadyAsync()
    {
        using CancellationTokenSource timeout = new(Patience);
        while (!_process.HasExited && !timeout.IsCancellationRequested)
        {
            if (await GetStatusAsync("/health/ready") == HttpStatusCode.OK)
            {
                return;
            }

            await Task.Delay(20, CancellationToken.None);
        }

        throw new InvalidOperationException($"The silo did not get ready. It wrote:\n{Output}");
    }

    /// <summary>Null if nothing answers.</summary>
    public async Task<HttpStatusCode?> GetStatusAsync(string path)
    {
        try
        {
            using HttpResponseMessage answer = await Http.GetAsync(new Uri(Home.Address, path));
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Ends when it has written so many lines with <paramref name="text"/> in them.</summary>
    public async Task WroteAsync(string text, int lines = 1)
    {
        TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
        {
            if (Count(text) >= lines)
            {
                return;
            }

            _awaited.Add((text, lines, seen));
        }

        try
        {
            await seen.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"The silo did not write \"{text}\", but:\n{Output}");
        }
    }

    /// <summary>To the silo alone.</summary>
    public void Signal(UnixSignal signal) => UnixSignals.Send(Pid, signal);

    /// <summary>To the silo and all that it has started in its process group, as Ctrl-C in a terminal is.</summary>
    public void SignalGroup(UnixSignal signal) => UnixSignals.Send(-Pid, signal);

    public async Task<int> ExitAsync()
    {
        using CancellationTokenSource timeout = new(Patience);
        await _process.WaitForExitAsync(timeout.Token);
        return _process.ExitCode;
    }

    /// <summary>Stops it in order and checks what every stop has to keep: in time, with code 0, and no PostgreSQL left.</summary>
    public async Task StopAsync(UnixSignal signal = UnixSignal.Terminate)
    {
        long from = Stopwatch.GetTimestamp();
        SignalGroup(signal);
        int code = await ExitAsync();
        Assert.True(code == 0, $"It ended with {code}, and wrote:\n{Output}");
        Assert.True(Stopwatch.GetElapsedTime(from) < StopTimeMax, $"Stopping took {Stopwatch.GetElapsedTime(from)}.");
        using Postmaster? left = Home.FindPostmaster();
        Assert.Null(left);
    }

    /// <summary>SIGKILL to the silo alone; its PostgreSQL lives on.</summary>
    public async Task KillAsync()
    {
        Signal(UnixSignal.Kill);
        await ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private int Count(string text) =>
        _output.ToString().Split('\n').Count(line => line.Contains(text, StringComparison.Ordinal));

    private void OnLine(string? line)
    {
        lock (_output)
        {
            _output.Append(line).Append('\n');
            foreach ((string text, int lines, TaskCompletionSource seen) in _awaited)
            {
                if (Count(text) >= lines)
                {
                    seen.TrySetResult();
                }
            }
        }
    }
}
