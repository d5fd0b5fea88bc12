using System.Text.RegularExpressions;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// One curl line of docs/http.md and the answer under it. Words and structure of an answer are as on the page; numbers
/// are the silo's own, and "…" stands for whatever the page leaves out. What ends with "&amp;" has no answer there.
/// </summary>
internal sealed partial record HttpPageExample(string Command, string Answer)
{
    public string Method => MethodOption().Match(Command) is { Success: true } method ? method.Groups[1].Value : "GET";

    /// <summary>Without the query string.</summary>
    public string Path => Address().Match(Command).Groups[1].Value;

    /// <summary>Its answer never ends: curl gives up on it, with what has come until then.</summary>
    public bool IsStream => Command.StartsWith("curl -N ", StringComparison.Ordinal);

    public bool IsInBackground => Command.EndsWith(" &", StringComparison.Ordinal);

    public static HttpPageExample[] AllOf(string page) =>
    [
        .. ShellBlock().Matches(page).SelectMany(block => NextExample().Split(block.Groups[1].Value))
            .Where(example => example.StartsWith("curl ", StringComparison.Ordinal))
            .Select(example => example.TrimEnd().Split('\n', 2) is [var command, var answer]
                ? new HttpPageExample(command, answer)
                : example.TrimEnd().EndsWith(" &", StringComparison.Ordinal)
                ? new HttpPageExample(example.TrimEnd(), "")
                : throw new FormatException($"docs/http.md says no answer to: {example}")),
    ];

    /// <summary>As a reader would type it, with the numbers of answers so far in place of the page's.</summary>
    public string CommandWith(Uri silo, Dictionary<string, string> numbers) =>
        $"S={silo.GetLeftPart(UriPartial.Authority)}\nJ='Content-Type: application/json'\n"
        + Id().Replace(Command, id => numbers.GetValueOrDefault(id.Value, id.Value));

    /// <summary>Whether <paramref name="answer"/> is what the page says. Learns the ids that it was given.</summary>
    public bool Fits(string answer, Dictionary<string, string> numbers)
    {
        string pattern = Regex.Escape(Answer).Replace("…", "[\\s\\S]*", StringComparison.Ordinal);
        Match match = Regex.Match(answer, $"^{Number().Replace(pattern, "([0-9.]+)")}$");
        if (!match.Success)
            return false;
        string[] ofThePage = [.. Number().Matches(Regex.Escape(Answer)).Select(number => number.Value)];
        for (int i = 0; i < ofThePage.Length; i++)
            if (Id().IsMatch(ofThePage[i]))
                numbers[ofThePage[i]] = match.Groups[i + 1].Value;
        return true;
    }

    // An answer may have empty lines: events end with one.
    [GeneratedRegex("\n\n(?=curl )")]
    private static partial Regex NextExample();

    [GeneratedRegex("-X ([A-Z]+)")]
    private static partial Regex MethodOption();

    [GeneratedRegex("\\$S(/[^ ?\"]*)")]
    private static partial Regex Address();

    [GeneratedRegex("```sh\n([\\s\\S]*?)```")]
    private static partial Regex ShellBlock();

    // Escaped, as it stands in a pattern: a number that is not part of a word or a name, and no status.
    [GeneratedRegex("(?<!HTTP/1\\\\\\.1\\\\ )(?<!\"status\":)(?<![A-Za-z/0-9.\\-\\[])[0-9]+(\\\\\\.[0-9]+)?(?![0-9/])")]
    private static partial Regex Number();

    // Session ids and tokens are from 100 on, on the page.
    [GeneratedRegex("(?<![0-9.])1[0-9]{2}(?![0-9])")]
    private static partial Regex Id();
}
