using System.Net;
using System.Text;
using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

/// <summary>One server-sent event; its data's lines joined, as the specification says.</summary>
internal sealed record StreamEvent(string Name, string? Id, string Data)
{
    public JsonElement Json => JsonElement.Parse(Data);
}

/// <summary>A client of one event stream, by the rules of the specification.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private EventReader(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _lines = new StreamReader(body, Encoding.UTF8);
    }

    public HttpResponseMessage Response => _response;

    /// <summary>Lines that only show that the silo is there.</summary>
    public int Comments { get; private set; }

    public static async Task<EventReader> OpenAsync(HttpClient client, string path, string? lastEventId = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new HttpRequestException($"{path}: {await response.Content.ReadAsStringAsync()}");
        return new EventReader(response, await response.Content.ReadAsStreamAsync());
    }

    /// <returns>Null when the stream has ended. What is cut off is dropped.</returns>
    public async Task<StreamEvent?> NextAsync()
    {
        using CancellationTokenSource patience = new(HttpTestSilo.Patience);
        string name = "message";
        string? id = null;
        List<string> data = [];
        while (await _lines.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Length == 0 && data.Count > 0)
                return new StreamEvent(name, id, string.Join('\n', data));
            if (line.StartsWith(':'))
                Comments++;
            else if (line.Split(": ", 2) is [var field, var value])
                _ = field switch
                {
                    "event" => name = value,
                    "id" => id = value,
                    "data" => Add(data, value),
                    _ => throw new FormatException(line),
                };
        }
        return null;
    }

    /// <summary>The next one that is no progress mark.</summary>
    public async Task<StreamEvent?> NextChangeAsync()
    {
        StreamEvent? next = await NextAsync();
        while (next is { Name: "progress" })
            next = await NextAsync();
        return next;
    }

    public static void AssertProblem(StreamEvent? last, ErrorCode code)
    {
        Assert.Equal("error", last?.Name);
        Assert.Null(last!.Id);
        Assert.Equal(code.ToString(), last.Json.GetProperty("code").GetString());
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }

    private static string Add(List<string> data, string line)
    {
        data.Add(line);
        return line;
    }
}
