using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Silo.Http;
using Coordinator.Silo.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Silo;

/// <summary>The interfaces on a real server at a free port, before a group in memory or another one.</summary>
internal sealed class HttpTestSilo : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;
    private readonly IReadOnlyList<GroupGateway> _gateways;

    private HttpTestSilo(WebApplication app, IReadOnlyList<GroupGateway> gateways)
    {
        _app = app;
        _gateways = gateways;
        Address = new Uri(app.Urls.Single());
        Client = new HttpClient { BaseAddress = Address, Timeout = Patience };
    }

    /// <summary>The first, when it is one in memory.</summary>
    public HttpMemoryGateway Group => GroupAt(0);

    public HttpMemoryGateway GroupAt(int number) => (HttpMemoryGateway)_gateways[number];

    public Uri Address { get; }

    public HttpClient Client { get; }

    public static Task<HttpTestSilo> StartAsync(Action<HttpInterfaceOptions>? configure = null) =>
        StartAsync(new HttpMemoryGateway(), configure);

    public static Task<HttpTestSilo> StartAsync(GroupGateway group, Action<HttpInterfaceOptions>? configure = null) =>
        StartAsync([group], configure);

    public static async Task<HttpTestSilo> StartAsync(
        IReadOnlyList<GroupGateway> groups, Action<HttpInterfaceOptions>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddCoordinatorHttp(configure);
        WebApplication app = builder.Build();
        app.UseCoordinatorGuards();
        app.MapCoordinatorWire(groups, new Welcome { ClusterId = "cluster", SiloId = "silo-1" });
        app.MapCoordinatorHttp(groups);
        await app.StartAsync();
        return new HttpTestSilo(app, groups);
    }

    /// <summary>A router without a server, for its table.</summary>
    public static HttpRouter CreateRouter()
    {
        CheckedGateway gateway = new([new HttpMemoryGateway()], NullLogger.Instance);
        HttpInterfaceOptions options = new();
        return new HttpRouter(gateway, options,
            new EventStreams(gateway, options, TimeProvider.System, NullLogger.Instance, CancellationToken.None),
            new SnapshotStreams(options, TimeProvider.System, NullLogger.Instance));
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>Sends a request that HttpClient may tidy up only in its body.</summary>
    public async Task<HttpAnswer> SendAsync(
        string method, string path, string? json = null, Action<HttpRequestMessage>? change = null)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        change?.Invoke(request);
        using HttpResponseMessage response = await Client.SendAsync(request);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        Dictionary<string, string> headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
        return new HttpAnswer(response.StatusCode, headers, body);
    }

    /// <summary>Sends bytes as they are and reads all that comes back.</summary>
    public async Task<HttpAnswer> SendRawAsync(string request)
    {
        using TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, Address.Port);
        NetworkStream stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using CancellationTokenSource patience = new(Patience);
        using StreamReader reader = new(stream, Encoding.Latin1);
        return HttpAnswer.Parse(await reader.ReadToEndAsync(patience.Token));
    }

    /// <summary>Sends a GET, or another method, for a target exactly as it is given.</summary>
    public Task<HttpAnswer> SendTargetAsync(string target, string method = "GET") => SendRawAsync(
        $"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{Address.Port}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

    public async Task<ClientWebSocket> OpenSocketAsync(Action<ClientWebSocketOptions>? configure = null)
    {
        ClientWebSocket socket = new();
        configure?.Invoke(socket.Options);
        using CancellationTokenSource patience = new(Patience);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{Address.Port}/v1/connect"), patience.Token);
        return socket;
    }

    public async Task<WireTestClient> ConnectAsync()
    {
        WireTestClient client = new(await OpenSocketAsync());
        await client.GreetAsync();
        return client;
    }

    public async Task<string> CreateSessionAsync() =>
        (await SendAsync("POST", "/v1/sessions", """{"ttlSeconds":10}""")).Json.GetProperty("sessionId").GetString()!;
}

internal sealed record HttpAnswer(HttpStatusCode Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonElement.Parse(Body);

    /// <summary>Of problem details; null when the answer is none.</summary>
    public string? Code => Headers.GetValueOrDefault("Content-Type") == "application/problem+json"
        ? Json.GetProperty("code").GetString()
        : null;

    public static HttpAnswer Parse(string text)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        string[] lines = text[..end].Split("\r\n");
        Dictionary<string, string> headers = lines.Skip(1).Select(line => line.Split(": ", 2))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        return new HttpAnswer((HttpStatusCode)int.Parse(lines[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture),
            headers, Encoding.Latin1.GetBytes(text[(end + 4)..]));
    }

    public void AssertProblem(ErrorCode code)
    {
        Assert.Equal(code.ToString(), Code);
        Assert.Equal(Problems.StatusOf(code), (int)Status);
        Assert.Equal((int)Status, Json.GetProperty("status").GetInt32());
        Assert.Equal($"urn:coordinator:error:{code}", Json.GetProperty("type").GetString());
        Assert.NotEmpty(Json.GetProperty("title").GetString()!);
    }
}
