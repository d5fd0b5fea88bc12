using System.Text;

namespace Coordinator.Tests.Conformance;

/// <summary>What a command of a transcript prints. Silent while muted; log lines aren't part of it.</summary>
internal sealed class TranscriptOutput
{
    private static readonly string[] LogLevels = ["DEBUG ", "INFO ", "WARN ", "ERROR "];

    private readonly StringBuilder _text = new();
    private int _indent;

    public bool Muted { get; set; }

    public void Line(string text)
    {
        if (Muted)
        {
            return;
        }

        foreach (string line in text.Split('\n'))
        {
            _text.Append(' ', 2 * _indent).Append(line).Append('\n');
        }
    }

    public void Indented(Action print)
    {
        _indent++;
        print();
        _indent--;
    }

    public string Take()
    {
        string text = _text.ToString();
        _text.Clear();
        return text;
    }

    /// <summary>Behaviour alone: without log lines, and without the "ok" that stands for no output.</summary>
    public static string Behaviour(string output)
    {
        IEnumerable<string> lines = output.ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd())
            .Where(line => line.Length > 0 && !IsLog(line.TrimStart()));
        string text = string.Join('\n', lines);
        return text == "ok" ? "" : text;
    }

    private static bool IsLog(string line) =>
        LogLevels.Any(level => line.StartsWith(level, StringComparison.Ordinal));
}
