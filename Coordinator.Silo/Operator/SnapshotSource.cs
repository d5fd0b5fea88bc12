using System.Net;
using System.Text.Json;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>A silo that snapshots are fetched from. One that is silent for too long has gone.</summary>
internal sealed class SnapshotSource : IDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly Uri _silo;

    /// <exception cref="StartupException">It is no such URL.</exception>
    public SnapshotSource(string url) =>
        _silo = Uri.TryCreate(url, UriKind.Absolute, out Uri? silo) && silo.Scheme is "http" or "https"
            ? silo
            : throw new StartupException(
                ExitCode.BadOptions, $"--url is \"{url}\": allowed is the URL of a silo, such as {OptionsReader.DefaultListen}.");

    public void Dispose() => _http.Dispose();

    /// <exception cref="StartupException">The silo does not say.</exception>
    public Task<int> CountGroupsAsync(CancellationToken stopping) => AskAsync("/v1/status", waits: false, async (response, silence) =>
    {
        using JsonDocument status = await JsonDocument.ParseAsync(
            await response.Content.ReadAsStreamAsync(silence.Token), cancellationToken: silence.Token);
        return status.RootElement.GetProperty("groups").GetArrayLength();
    }, stopping);

    /// <param name="waits">While the silo sends another one; or else it is refused.</param>
    /// <exception cref="StartupException">The silo has not sent it.</exception>
    public Task FetchAsync(int group, Stream to, bool waits, CancellationToken stopping) => AskAsync(
        $"/v1/groups/{group}/snapshot", waits, async (response, silence) =>
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(silence.Token);
            byte[] piece = new byte[64 * 1024];
            while (await body.ReadAsync(piece, silence.Token) is int count and > 0)
            {
                silence.CancelAfter(Silence);
                await to.WriteAsync(piece.AsMemory(0, count), stopping);
            }
            return true;
        }, stopping);

    private async Task<T> AskAsync<T>(
        string path, bool waits, Func<HttpResponseMessage, CancellationTokenSource, Task<T>> read, CancellationToken stopping)
    {
        var from = new Uri(_silo, path);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        silence.CancelAfter(Silence);
        try
        {
            while (true)
            {
                using HttpResponseMessage response = await _http.GetAsync(from, HttpCompletionOption.ResponseHeadersRead, silence.Token);
                if (response.IsSuccessStatusCode)
                    return await read(response, silence);
                if (!waits || response.StatusCode != HttpStatusCode.TooManyRequests)
                {
                    string problem = await response.Content.ReadAsStringAsync(silence.Token);
                    throw new StartupException(ExitCode.Failed, $"{from} refused: {ReasonOf(problem) ?? response.StatusCode.ToString()}");
                }
                await Task.Delay(AskAgain, silence.Token);
            }
        }
        catch (OperationCanceledException e) when (!stopping.IsCancellationRequested)
        {
            throw new StartupException(ExitCode.Failed, $"{from} has sent nothing for {Silence.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException or KeyNotFoundException
            or InvalidOperationException)
        {
            throw new StartupException(ExitCode.Failed, $"The snapshot cannot be had from {from}: {e.Message}", e);
        }
    }

    /// <summary>Null: the answer is no problem of a silo's.</summary>
    private static string? ReasonOf(string problem)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(problem);
            return $"{json.RootElement.GetProperty("code").GetString()}: {json.RootElement.GetProperty("detail").GetString()}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
