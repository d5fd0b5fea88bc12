using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Tests.Silo;

namespace Coordinator.Tests.EndToEnd;

/// <summary>Watchers of a real silo, over both interfaces, with the silo killed in the middle.</summary>
[Collection(SiloProcesses.Name)]
public sealed class WatchStreamTests : IDisposable
{
    private readonly SiloHome _home = new();
    private readonly HttpClient _http;

    public WatchStreamTests() => _http = new HttpClient { BaseAddress = _home.Address };

    public void Dispose()
    {
        _http.Dispose();
        _home.Dispose();
    }

    [Fact]
    public async Task A_stream_tells_each_change_once_through_a_kill_of_the_silo()
    {
        string last;
        List<string> told = [];
        SiloProcess first = SiloProcess.Start(_home);
        await using (first)
        {
            await first.ReadyAsync();
            await PutAsync("app/before", "0");
            using EventReader reader = await EventReader.OpenAsync(_http, "/v1/config?watch=true&prefix=app/&previous=true");
            StreamEvent begin = (await reader.NextAsync())!;
            Assert.Equal("progress", begin.Name);

            await PutAsync("app/a", "1");
            await PutAsync("other", "1");
            await PutAsync("app/a", "2");
            await TransactAsync("""{"then":[{"put":"app/b","value":"3"},{"delete":"app/a"},{"put":"other","value":"4"}]}""");
            for (int i = 0; i < 3; i++)
                told.Add(TextOf(await reader.NextChangeAsync()));
            Assert.Equal(["app/a=1 was none", "app/a=2 was 1", "app/a deleted was 2, app/b=3 was none"], told);

            await PutAsync("app/c", "5");
            StreamEvent change = (await reader.NextChangeAsync())!;
            last = change.Id!;
            told.Add(TextOf(change));
            await PutAsync("app/d", "6");
            await first.KillAsync();
        }
        await using SiloProcess second = SiloProcess.Start(_home);
        await second.ReadyAsync();
        await PutAsync("app/e", "7");
        // It asks as at first, as a browser does: from the end of what it has received.
        using EventReader again = await EventReader.OpenAsync(_http, "/v1/config?watch=true&prefix=app/&previous=true", last);
        Assert.Equal(new StreamEvent("progress", last, $$"""{"revision":{{last}}}"""), await again.NextAsync());
        Assert.Equal("app/d=6 was none", TextOf(await again.NextChangeAsync()));
        Assert.Equal("app/e=7 was none", TextOf(await again.NextChangeAsync()));
        using HttpResponseMessage deleted = await _http.DeleteAsync(new Uri("/v1/config/app/e", UriKind.Relative));
        Assert.Equal("app/e deleted was 7", TextOf(await again.NextChangeAsync()));
    }

    [Fact]
    public async Task A_stream_is_told_what_it_cannot_be_told_any_more()
    {
        await using SiloProcess silo = SiloProcess.Start(_home);
        await silo.ReadyAsync();
        long old = await PutAsync("k", "1"), kept = await PutAsync("k", "2"), last = await PutAsync("k", "3");
        using HttpResponseMessage compacted = await _http.PostAsync(new Uri("/v1/config/compact", UriKind.Relative),
            new StringContent($$"""{"revision":{{kept}}}""", Encoding.UTF8, "application/json"));
        compacted.EnsureSuccessStatusCode();
        using HttpResponseMessage gone = await _http.GetAsync(new Uri($"/v1/config?watch=true&from={old}", UriKind.Relative));
        Assert.Equal(410, (int)gone.StatusCode);
        using HttpResponseMessage future = await _http.GetAsync(new Uri($"/v1/config?watch=true&from={last + 2}", UriKind.Relative));
        Assert.Contains("RevisionInFuture", await future.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopping_silo_ends_its_streams_and_stops_in_time()
    {
        await using SiloProcess silo = SiloProcess.Start(_home);
        await silo.ReadyAsync();
        using EventReader reader = await EventReader.OpenAsync(_http, "/v1/config?watch=true");
        await reader.NextAsync();
        Task stopped = silo.StopAsync();
        EventReader.AssertProblem(await reader.NextChangeAsync(), ErrorCode.Stopping);
        await stopped;
    }

    [Fact]
    public async Task An_election_is_observed_through_a_kill_of_the_silo()
    {
        string last;
        SiloProcess first = SiloProcess.Start(_home);
        await using (first)
        {
            await first.ReadyAsync();
            using EventReader reader = await EventReader.OpenAsync(_http, "/v1/elections/e?observe=true");
            Assert.Equal("""{"name":"e","leader":null}""", (await reader.NextAsync())!.Data);
            string session = (await PostAsync("/v1/sessions", """{"ttlSeconds":60}""")).GetProperty("sessionId").GetString()!;
            await PostAsync("/v1/elections/e/campaign", $$"""{"sessionId":"{{session}}","value":"one"}""");
            Assert.Contains("\"value\":\"one\"", (await reader.NextAsync())!.Data, StringComparison.Ordinal);
            await PostAsync("/v1/elections/e/proclaim", $$"""{"sessionId":"{{session}}","value":"two"}""");
            StreamEvent two = (await reader.NextAsync())!;
            Assert.Contains("\"value\":\"two\"", two.Data, StringComparison.Ordinal);
            last = two.Id!;
            await PostAsync("/v1/elections/e/resign", $$"""{"sessionId":"{{session}}"}""");
            await first.KillAsync();
        }
        await using SiloProcess second = SiloProcess.Start(_home);
        await second.ReadyAsync();
        using EventReader again = await EventReader.OpenAsync(_http, "/v1/elections/e?observe=true", last);
        Assert.Equal("""{"name":"e","leader":null}""", (await again.NextAsync())!.Data);
    }

    [Fact]
    public async Task Pages_on_a_WebSocket_tell_each_change_once_through_a_kill_of_the_silo()
    {
        long next;
        SiloProcess first = SiloProcess.Start(_home);
        await using (first)
        {
            await first.ReadyAsync();
            using WireTestClient client = await ConnectAsync();
            await client.SendAsync(Watch(1, 0));
            next = (await client.ReceiveAsync())!.WatchPage.NextRevision;
            Assert.Equal(["app/a"], await ChangesAsync(client, () => PutAsync("app/a", "1")));
            WatchPage page = (await NextChangeAsync(client, () => PutAsync("app/b", new string('x', 500_000))))!;
            Assert.Equal(500_000, page.Events.Single().Entry.Value.Length);
            next = page.NextRevision;
            await PutAsync("app/c", "3");
            await first.KillAsync();
        }
        await using SiloProcess second = SiloProcess.Start(_home);
        await second.ReadyAsync();
        using WireTestClient again = await ConnectAsync();
        await again.SendAsync(Watch(1, next));
        Assert.Equal(["app/c"], await ChangesAsync(again, () => Task.CompletedTask));
        Assert.Equal(["app/d", "app/e"], await ChangesAsync(
            again, () => TransactAsync("""{"then":[{"put":"app/e","value":"5"},{"put":"app/d","value":"4"}]}""")));
        await again.SendAsync(new ClientFrame { CorrelationId = 1, Abandon = new Abandon() });
        await again.SendAsync(Watch(2, long.MaxValue));
        ServerFrame refused = (await again.ReceiveAsync())!;
        while (refused.CorrelationId == 1)
            refused = (await again.ReceiveAsync())!;
        Assert.Equal(ErrorCode.RevisionInFuture, refused.WatchPage.Error);
    }

    private static ClientFrame Watch(long correlationId, long from) => new()
    {
        CorrelationId = correlationId,
        Watch = new Watch { Config = new WatchConfig { Key = "app/", IsPrefix = true, FromRevision = from } },
    };

    private static async Task<string[]> ChangesAsync(WireTestClient client, Func<Task> change) =>
        [.. (await NextChangeAsync(client, change)).Events.Select(one => one.Entry.Key)];

    private static async Task<WatchPage> NextChangeAsync(WireTestClient client, Func<Task> change)
    {
        await change();
        WatchPage page = (await client.ReceiveAsync())!.WatchPage;
        while (page.Events.Count == 0 && page.Error == ErrorCode.Ok)
            page = (await client.ReceiveAsync())!.WatchPage;
        Assert.Equal(ErrorCode.Ok, page.Error);
        return page;
    }

    private static string TextOf(StreamEvent? change) => string.Join(", ", change!.Json.GetProperty("events").EnumerateArray()
        .Select(one => one.GetProperty("key").GetString()
            + (one.GetProperty("deleted").GetBoolean() ? " deleted" : $"={one.GetProperty("value").GetString()}")
            + (one.GetProperty("previous") is { ValueKind: JsonValueKind.Object } previous
                ? $" was {previous.GetProperty("value").GetString()}"
                : " was none")));

    private async Task<WireTestClient> ConnectAsync()
    {
        ClientWebSocket socket = new();
        using CancellationTokenSource patience = new(HttpTestSilo.Patience);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_home.Port}/v1/connect"), patience.Token);
        WireTestClient client = new(socket);
        await client.GreetAsync();
        return client;
    }

    private async Task<long> PutAsync(string key, string value)
    {
        using HttpResponseMessage answer = await _http.PutAsync(
            new Uri($"/v1/config/{key}", UriKind.Relative), new StringContent(value, Encoding.UTF8, "text/plain"));
        answer.EnsureSuccessStatusCode();
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("revision").GetInt64();
    }

    private async Task TransactAsync(string json) => await PostAsync("/v1/txn", json);

    private async Task<JsonElement> PostAsync(string path, string json)
    {
        using HttpResponseMessage answer = await _http.PostAsync(
            new Uri(path, UriKind.Relative), new StringContent(json, Encoding.UTF8, "application/json"));
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {text}");
        return JsonElement.Parse(text);
    }
}
