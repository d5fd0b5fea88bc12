using System.Diagnostics;
using Coordinator.Silo.Http;
using Coordinator.Tests.Architecture;
using Coordinator.Tests.Silo;

namespace Coordinator.Tests.EndToEnd;

/// <summary>docs/http.md says what is so: each of its examples is run as it stands, in order, against a real silo.</summary>
[Collection(SiloProcesses.Name)]
public sealed class HttpPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "http.md"));

    [Fact]
    public async Task Each_example_of_the_page_answers_as_the_page_says()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        HttpPageExample[] examples = HttpPageExample.AllOf(Page);
        Assert.True(examples.Length >= 15, $"Only {examples.Length} examples were found on the page.");
        // The page's numbers stand for those that this silo gives.
        Dictionary<string, string> numbers = [];
        bool afterBackground = false;
        foreach (HttpPageExample example in examples)
        {
            string command = example.CommandWith(home.Address, numbers);
            string answer = await RunAsync(example.IsInBackground ? $"( {command} ) > /dev/null 2>&1" : command, example.IsStream);
            // What was sent to the background may be seen a moment later.
            for (int attempt = 0; afterBackground && attempt < 100 && !example.Fits(answer, numbers); attempt++)
                answer = await RunAsync(command);
            afterBackground = example.IsInBackground;
            Assert.True(example.Fits(answer, numbers), $"{example.Command}\nanswered:\n{answer}\nthe page says:\n{example.Answer}");
        }
    }

    [Fact]
    public void Each_route_has_an_example_on_the_page_or_is_named_on_it()
    {
        HttpRouter router = HttpTestSilo.CreateRouter();
        HttpPageExample[] examples = HttpPageExample.AllOf(Page);
        string[] missing =
        [
            .. router.Routes.Where(route => !Page.Contains($"`{route.Method} {route.Template}`", StringComparison.Ordinal)
                    && !examples.Any(example => example.Method == route.Method && route.Match(example.Path[1..].Split('/')) is not null))
                .Select(route => $"{route.Method} {route.Template}"),
        ];
        Assert.Empty(missing);
        Assert.Contains("## /v1/connect", Page, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_example_of_the_page_is_a_route()
    {
        HttpRouter router = HttpTestSilo.CreateRouter();
        Assert.All(HttpPageExample.AllOf(Page), example => Assert.Contains(router.Routes, route =>
            route.Serves(example.Method) && route.Match(example.Path[1..].Split('/')) is not null));
    }

    [Theory]
    [InlineData("""{"sessionId":"101","ended":true}""", """{"sessionId":"101","ended":false}""", false)]
    [InlineData("""{"sessionId":"101","ended":true}""", """{"sessionId":"7","ended":true}""", true)]
    [InlineData("""{"a":1,"b":2}""", """{"a":1}""", false)]
    [InlineData("""{"status":400}""", """{"status":404}""", false)]
    [InlineData("HTTP/1.1 200 OK", "HTTP/1.1 204 OK", false)]
    [InlineData("""{"a":1}""", """{"a":1,"b":2}""", false)]
    [InlineData("""{"a":"x"}""", """{"a":"y"}""", false)]
    [InlineData("""{"a":[{"b":1,…}],"c":[]}""", """{"a":[{"b":9,"d":4}],"c":[]}""", true)]
    [InlineData("""{"a":[{"b":1,…}],"c":[]}""", """{"a":[],"c":[]}""", false)]
    public void An_answer_other_than_the_pages_is_found_out(string page, string answer, bool fits) =>
        Assert.Equal(fits, new HttpPageExample("curl $S/v1/x", page).Fits(answer, []));

    private static async Task<string> RunAsync(string command, bool isStream = false)
    {
        using Process bash = Process.Start(new ProcessStartInfo("bash", ["-c", $"curl() {{ command curl -sS --max-time 20 \"$@\"; }}\n{command}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = bash.StandardError.ReadToEndAsync();
        string answer = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        const int timedOut = 28;
        Assert.True(bash.ExitCode == (isStream ? timedOut : 0), $"{command}\n{await errors}");
        return answer.ReplaceLineEndings("\n").TrimEnd();
    }
}
