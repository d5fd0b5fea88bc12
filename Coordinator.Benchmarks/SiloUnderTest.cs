using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Coordinator.Benchmarks;

/// <summary>A silo of its own process on fresh data, with a private PostgreSQL; gone without a trace when disposed.</summary>
internal sealed class SiloUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);
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

    public static async Task<SiloUnderTest> StartAsync()
    {
        string folder = Directory.CreateTempSubdirectory("coordinator-benchmark-").FullName;
        // PostgreSQL's user has to enter it, or the cluster would be kept elsewhere and stay behind.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        string address = $"http://127.0.0.1:{FreePort()}";
        var process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "Coordinator.Silo.dll"), "--listen", address,
                "--data", Path.Combine(folder, "data"),
            ])
            {
                RedirectStandardOutput = true,
            },
        };
        var silo = new SiloUnderTest(process, folder, address);
        process.OutputDataReceived += (_, _) => { };
        process.Start();
        process.BeginOutputReadLine();
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

    private async Task ReadyAsync()
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

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
