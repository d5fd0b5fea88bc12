using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Coordinator.Tests.Silo;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// The silo under test as its hostile clients see it: where it listens, a few live sessions to name in requests, and
/// one session that belongs to somebody else and is never named.
/// </summary>
internal sealed class FuzzTarget(Uri address, long sparedSession)
{
    private const int SessionCount = 6;

    private readonly long[] _sessions = new long[SessionCount];
    private readonly Regex _spared = new($"(?<![0-9]){sparedSession}(?![0-9])", RegexOptions.CultureInvariant);

    public IReadOnlyList<long> Sessions => _sessions;

    public int Port => address.Port;

    /// <summary>Whether a case leaves the bystander's session alone, whatever its damage has made of it.</summary>
    public bool Spares(string text) => sparedSession == 0 || !_spared.IsMatch(text);

    /// <summary>Makes the sessions anew: requests end them.</summary>
    public async Task RenewSessionsAsync()
    {
        for (int i = 0; i < SessionCount; i++)
        {
            HttpAnswer answer = await AskAsync("POST", "/v1/sessions", """{"ttlSeconds":3600}""");
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            _sessions[i] = long.Parse(answer.Json.GetProperty("sessionId").GetString()!, CultureInfo.InvariantCulture);
        }
    }

    public async Task<TcpClient> ConnectAsync()
    {
        TcpClient tcp = new() { NoDelay = true };
        await tcp.ConnectAsync(IPAddress.Loopback, Port);
        return tcp;
    }

    public async Task<HttpAnswer> AskAsync(string method, string target, string? json = null)
    {
        using HttpClient client = new() { BaseAddress = address };
        using HttpRequestMessage request = new(new HttpMethod(method), target);
        if (json is not null)
            request.Content = new StringContent(json, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        using HttpResponseMessage response = await client.SendAsync(request);
        return new HttpAnswer(response.StatusCode, new Dictionary<string, string>(), await response.Content.ReadAsByteArrayAsync());
    }
}
