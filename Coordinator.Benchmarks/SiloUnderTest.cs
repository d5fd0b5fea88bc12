using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Coordinator.Benchmarks;

/// <summary>A silo of its own process on fresh data, with a private PostgreSQL; gone without a trace when disposed.</summary>
internal sealed class SiloUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly string _folder;

    private SiloUnderTest(Process process, string folder, string address)
    {
        _process = process;
        _folder = folder;
        Address = address;
    }

    public string Address { get; }

    public int Pid => _process.Id;

    /// <summary>Where the private PostgreSQL says which process it is.</summary>
    public string PostmasterFile => Path.Combine(_folder, "data", "postgres", "cluster", "postmaster.pid");

    public static async Task<SiloUnderTest> StartAsync()
    {
        SiloUnderTest silo = Begin($"http://127.0.0.1:{FreePort()}");
        try
        {
            await silo.ReadyAsync();
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <param name="options">More of the command line.</param>
    public static SiloUnderTest Begin(string address, params string[] options)
    {
        string folder = Directory.CreateTempSubdirectory("coordinator-benchmark-").FullName;
        // PostgreSQL's user has to enter it, or the cluster would be kept elsewhere and stay behind.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        var process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "Coordinator.Silo.dll"), "--listen", address,
                "--data", Path.Combine(folder, "data"), .. options,
            ])
            {
                RedirectStandardOutput = true,
            },
        };
        var silo = new SiloUnderTest(process, folder, address);
        process.OutputDataReceived += (_, _) => { };
        process.Start();
        process.BeginOutputReadLine();
        return silo;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            await kill.WaitForExitAsync();
            using var patience = new CancellationTokenSource(StopTimeMax * 2);
            await _process.WaitForExitAsync(patience.Token);
        }
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    public async Task ReadyAsync()
    {
        using var http = new HttpClient();
        long startedAt = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync(http))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(startedAt) > StartTimeMax)
                throw new InvalidOperationException($"The silo did not get ready within {StartTimeMax}.");
            await Task.Delay(50);
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> IsReadyAsync(HttpClient http)
    {
        try
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(Address + "/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
