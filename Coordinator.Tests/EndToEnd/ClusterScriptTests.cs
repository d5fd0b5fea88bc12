using System.Diagnostics;
using Coordinator.Tests.Architecture;

namespace Coordinator.Tests.EndToEnd;

/// <summary>scripts/cluster, with one silo, since it is the script that is tried here.</summary>
[Collection(SiloProcesses.Name)]
public sealed class ClusterScriptTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly HttpClient Http = new();

    private readonly SiloHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task It_starts_kills_starts_again_and_stops_what_it_has_started()
    {
        (int code, string up) = await RunAsync("up", "1");
        Assert.Equal(0, code);
        try
        {
            Uri url = new(up.Trim());
            Assert.Equal(up, (await RunAsync("urls")).Output);
            using HttpResponseMessage put = await Http.PutAsync(new Uri(url, "/v1/config/kept"), new StringContent("kept"));
            Assert.True(put.IsSuccessStatusCode);
            Assert.Equal(0, (await RunAsync("kill", "1")).Code);
            Assert.Equal("silo1: down\n", (await RunAsync("status")).Output);
            Assert.Equal(0, (await RunAsync("start", "1")).Code);
            Assert.Equal("kept", await Http.GetStringAsync(new Uri(url, "/v1/config/kept")));
            Assert.Contains("\"ready\":true", (await RunAsync("status")).Output, StringComparison.Ordinal);
            Assert.NotEqual(0, (await RunAsync("kill", "2")).Code);
        }
        finally
        {
            Assert.Equal(0, (await RunAsync("down")).Code);
        }
        Assert.Equal("silo1: down\n", (await RunAsync("status")).Output);
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] words)
    {
        ProcessStartInfo info = new(Path.Combine(RepositoryRoot.Path, "scripts", "cluster"), words)
        {
            RedirectStandardOutput = true,
        };
        info.Environment["COORDINATOR_CLUSTER_FOLDER"] = _home.DataFolder;
        info.Environment["COORDINATOR_SILO"] = Path.Combine(SiloProcess.ProgramFolder, "Coordinator.Silo.dll");
        using Process script = Process.Start(info)!;
        string output = await script.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await script.WaitForExitAsync().WaitAsync(Patience);
        return (script.ExitCode, output);
    }
}
