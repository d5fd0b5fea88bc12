using System.Text;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Silo.Http;

namespace Coordinator.Tests.Silo;

/// <summary>
/// Each route with all the bad input of the table, and with what is bad for any route: a named error, and nothing gets
/// through to the group.
/// </summary>
public sealed class HttpBadInputTableTests : IAsyncLifetime
{
    private static readonly int JsonBytesMax = new HttpInterfaceOptions().JsonBytesMax;

    private HttpTestSilo _silo = null!;

    public static TheoryData<string> Routes => [.. HttpBadInputTable.Routes.Keys];

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public void Each_route_is_in_the_table_and_the_table_has_no_other()
    {
        HttpRouter router = HttpTestSilo.CreateRouter();
        Assert.Equal(
            router.Routes.Select(route => $"{route.Method} {route.Template}").Order(StringComparer.Ordinal),
            HttpBadInputTable.Routes.Keys.Concat(HttpBadInputTable.TakeNothing).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task What_is_valid_in_the_table_gets_through(string route)
    {
        await SendAsync(route, HttpBadInputTable.Routes[route].Valid);
        Assert.Equal(1, _silo.Group.Reached);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task No_bad_field_gets_through(string route)
    {
        RouteInput input = HttpBadInputTable.Routes[route];
        foreach (BadField field in input.Fields)
        {
            foreach (string value in field.Values.Where(value => HasBody(route) || !IsFineInAQuery(value)))
                await AssertRefusedAsync(route, With(input.Valid, field.Name, value), field.Code);
            if (field.Missing is { } missing)
                await AssertRefusedAsync(route, With(input.Valid, field.Name, null), missing);
        }
        foreach ((string json, ErrorCode code) in input.Others)
            await AssertRefusedAsync(route, json, code);
        await AssertRefusedAsync(route, With(input.Valid, "colour", "\"red\""), ErrorCode.InvalidRequest);
        await AssertRefusedAsync(route, With(input.Valid, input.Fields is [var first, ..] ? first.Name.ToUpperInvariant() : "A", "1"), null);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task No_bad_body_gets_through(string route)
    {
        if (!HasBody(route))
            return;
        string valid = HttpBadInputTable.Routes[route].Valid;
        string repeated = valid == "{}" ? """{"a":1,"a":1}""" : $"{valid[..^1]},{valid[1..]}";
        foreach (string body in new[] { "[]", "null", "7", "{", $"{valid}x", $"{valid}{valid}", $"{valid[..^1]},}}", repeated, "\0", new string('[', 100) })
            await AssertRefusedAsync(route, body, ErrorCode.InvalidRequest);
        int most = route == "POST /v1/txn" ? Limits.RequestBytesMax : JsonBytesMax;
        // Refused by its stated length: the body need not come.
        (await SendAsync(route, valid + new string(' ', most + 1 - valid.Length), request => request.Headers.ExpectContinue = true))
            .AssertProblem(ErrorCode.RequestTooLarge);
        (await SendAsync(route, valid, request => request.Content!.Headers.ContentType = new("text/plain")))
            .AssertProblem(ErrorCode.UnsupportedContentType);
        (await SendAsync(route, valid, query: "?colour=red")).AssertProblem(ErrorCode.InvalidRequest);
        Assert.Equal(0, _silo.Group.Reached);

        await SendAsync(route, valid + new string(' ', most - valid.Length));
        Assert.Equal(1, _silo.Group.Reached);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task No_bad_parameter_of_a_path_gets_through(string route)
    {
        (string method, string template) = Parts(route);
        string[] bad = template.Contains(HttpRoute.NameParameter, StringComparison.Ordinal)
            ? ["a//b", "a/%2E%2E/b", ".%2Fa", "%FF", "%01", "%zz", "a%0Ab", "%EF%BF%BD", new string('n', Limits.NameBytesMax + 1)]
            : ["x", "-1", "1.5", "%31x", "99999999999999999999", "%20"];
        ErrorCode code = template.Contains(HttpRoute.NameParameter, StringComparison.Ordinal)
            ? ErrorCode.InvalidName
            : ErrorCode.InvalidRequest;
        foreach (string parameter in ParametersOf(template))
        {
            foreach (string text in bad)
            {
                string path = Fill(template.Replace(parameter, text, StringComparison.Ordinal));
                (await _silo.SendTargetAsync(path, method)).AssertProblem(code);
            }
        }
        Assert.Equal(0, _silo.Group.Reached);
    }

    private async Task AssertRefusedAsync(string route, string json, ErrorCode? code)
    {
        HttpAnswer answer = await SendAsync(route, json);
        Assert.True(answer.Code is not null && (code is null || answer.Code == code.ToString()),
            $"{route} {(json.Length > 200 ? $"{json[..200]}…" : json)} is {(int)answer.Status} {answer.Text}, not {code}");
        Assert.True(_silo.Group.Reached == 0, $"{route} {json} got through.");
    }

    private Task<HttpAnswer> SendAsync(
        string route, string json, Action<HttpRequestMessage>? change = null, string query = "")
    {
        (string method, string template) = Parts(route);
        return HasBody(route)
            ? _silo.SendAsync(method, Fill(template) + query, json, change)
            : _silo.SendAsync(method, Fill(template) + QueryOf(json), method == "PUT" ? "1" : null);
    }

    private static bool HasBody(string route) =>
        route.StartsWith("POST ", StringComparison.Ordinal)
        || (route.StartsWith("DELETE ", StringComparison.Ordinal) && !route.Contains("/config/", StringComparison.Ordinal));

    private static (string Method, string Template) Parts(string route) =>
        route.Split(' ') is [var method, var template] ? (method, template) : throw new FormatException(route);

    private static string[] ParametersOf(string template) =>
        [.. template.Split('/').Where(part => part.StartsWith('{'))];

    private static string Fill(string template) => template
        .Replace("{name}", "a", StringComparison.Ordinal).Replace("{group}", "0", StringComparison.Ordinal)
        .Replace("{id}", "7", StringComparison.Ordinal).Replace("{peer}", "4", StringComparison.Ordinal);

    /// <param name="value">As JSON; null: without the field.</param>
    private static string With(string json, string field, string? value)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        IEnumerable<string> members = document.RootElement.EnumerateObject()
            .Where(member => member.Name != field)
            .Select(member => $"\"{member.Name}\":{member.Value.GetRawText()}");
        return $"{{{string.Join(',', value is null ? members : members.Append($"\"{field}\":{value}"))}}}";
    }

    /// <summary>All values of a query string are text: what is bad in JSON for its type alone may be good there.</summary>
    private static bool IsFineInAQuery(string value) => value is "1e0" or "7" or "1";

    private static string QueryOf(string json)
    {
        StringBuilder query = new();
        string inside = json[1..^1];
        if (inside.Length == 0)
            return "";
        foreach (string member in inside.Split(",\""))
        {
            string[] parts = member.Split("\":", 2);
            string value = parts[1].StartsWith('"') ? JsonSerializer.Deserialize<string>(parts[1])! : parts[1];
            query.Append(query.Length == 0 ? '?' : '&').Append(parts[0].TrimStart('"')).Append('=').Append(Uri.EscapeDataString(value));
        }
        return query.ToString();
    }
}
