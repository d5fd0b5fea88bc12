using System.Text.Json;
using Coordinator.Grains.Backup;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>
/// Fetches a group's snapshot from a silo. Invariant: a file of the wanted name is whole, verified and durable, or isn't
/// there.
/// </summary>
internal static class SnapshotSave
{
    /// <summary>A silo that sends nothing for so long has gone.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <param name="words">A file, and before or after it --url and --group with their values.</param>
    /// <exception cref="StartupException">The words are not understood.</exception>
    public static Task RunAsync(IReadOnlyList<string> words, CancellationToken stopping)
    {
        List<string> files = [];
        (string url, int group) = (OptionsReader.DefaultListen, 0);
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i] == "--url" && i + 1 < words.Count)
                url = words[++i];
            else if (words[i] == "--group" && i + 1 < words.Count)
                group = OperatorCommands.GroupOf(words[++i]);
            else
                files.Add(words[i]);
        }
        if (files is not [var file] || file.StartsWith("--", StringComparison.Ordinal))
        {
            throw new StartupException(
                ExitCode.BadOptions, $"\"snapshot save {string.Join(' ', words)}\" is not understood. There are:\n\n{OperatorCommands.Commands}");
        }
        return RunAsync(file, url, group, stopping);
    }

    /// <exception cref="StartupException">The file is there already, or the silo has not sent it.</exception>
    private static async Task RunAsync(string file, string url, int group, CancellationToken stopping)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? silo) || silo.Scheme is not ("http" or "https"))
            throw new StartupException(ExitCode.BadOptions, $"--url is \"{url}\": allowed is the URL of a silo, such as {OptionsReader.DefaultListen}.");
        await using NewFile target = NewFile.Create(file);
        await FetchAsync(new Uri(silo, $"/v1/groups/{group}/snapshot"), target.Stream, stopping);
        SnapshotFile snapshot = target.Verify();
        target.Keep();
        await SnapshotShow.WriteAsync(Console.Out, target.Path, snapshot);
    }

    private static async Task FetchAsync(Uri from, Stream to, CancellationToken stopping)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        silence.CancelAfter(Silence);
        try
        {
            using HttpClient http = new() { Timeout = Timeout.InfiniteTimeSpan };
            using HttpResponseMessage response = await http.GetAsync(from, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            if (!response.IsSuccessStatusCode)
            {
                string problem = await response.Content.ReadAsStringAsync(silence.Token);
                throw new StartupException(ExitCode.Failed, $"{from} refused: {ReasonOf(problem) ?? response.StatusCode.ToString()}");
            }
            await using Stream body = await response.Content.ReadAsStreamAsync(silence.Token);
            byte[] piece = new byte[64 * 1024];
            while (await body.ReadAsync(piece, silence.Token) is int count and > 0)
            {
                silence.CancelAfter(Silence);
                await to.WriteAsync(piece.AsMemory(0, count), stopping);
            }
        }
        catch (OperationCanceledException e) when (!stopping.IsCancellationRequested)
        {
            throw new StartupException(ExitCode.Failed, $"{from} has sent nothing for {Silence.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
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
