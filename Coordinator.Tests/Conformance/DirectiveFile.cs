using System.Text;

namespace Coordinator.Tests.Conformance;

/// <summary>
/// Reads case files: a directive line, optional input, a line <c>----</c>, the expected output up to a blank line. Two
/// <c>----</c> lines fence output that holds blank lines. <c>#</c> begins a comment.
/// </summary>
internal sealed class DirectiveFile
{
    private const string Fence = "----";

    private readonly string[] _lines;
    private int _at;

    private DirectiveFile(string text) => _lines = text.ReplaceLineEndings("\n").Split('\n');

    public static IReadOnlyList<Directive> Read(string path) => Parse(File.ReadAllText(path));

    public static IReadOnlyList<Directive> Parse(string text)
    {
        DirectiveFile file = new(text);
        List<Directive> directives = [];
        while (file.Next() is { } directive)
        {
            directives.Add(directive);
        }

        return directives;
    }

    private Directive? Next()
    {
        while (_at < _lines.Length && (_lines[_at].Trim().Length == 0 || _lines[_at].StartsWith('#')))
        {
            _at++;
        }

        if (_at >= _lines.Length)
        {
            return null;
        }

        int line = _at + 1;
        string directive = _lines[_at++].Trim();
        while (directive.EndsWith('\\'))
        {
            directive = directive[..^1] + _lines[_at++].Trim();
        }

        StringBuilder input = new();
        while (_at < _lines.Length && _lines[_at] != Fence)
        {
            input.AppendLine(_lines[_at++]);
        }

        if (_at >= _lines.Length)
        {
            throw new FormatException($"Line {line}: a directive without {Fence}.");
        }

        _at++;
        List<Argument> words = Words(directive);
        return new Directive(line, words[0].Key, words[1..], input.ToString(), Expected());
    }

    private string Expected()
    {
        bool fenced = _at < _lines.Length && _lines[_at] == Fence;
        if (fenced)
        {
            _at++;
        }

        StringBuilder expected = new();
        while (_at < _lines.Length && !Ends(fenced))
        {
            expected.AppendLine(_lines[_at++]);
        }

        _at += fenced ? 2 : 0;
        return expected.ToString();
    }

    private bool Ends(bool fenced) => fenced
        ? _lines[_at] == Fence && _at + 1 < _lines.Length && _lines[_at + 1] == Fence
        : _lines[_at].Length == 0;

    private static List<Argument> Words(string line)
    {
        List<Argument> words = [];
        for (int at = 0; at < line.Length;)
        {
            int end = at;
            int depth = 0;
            while (end < line.Length && (depth > 0 || line[end] != ' '))
            {
                depth += line[end] == '(' ? 1 : line[end] == ')' ? -1 : 0;
                end++;
            }

            if (end > at)
            {
                words.Add(Word(line[at..end]));
            }

            at = end + 1;
        }

        return words;
    }

    private static Argument Word(string word)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            return new Argument(word, null);
        }

        string value = word[(equals + 1)..];
        bool isList = value.StartsWith('(');
        string[] values = isList
            ? value[1..^1].Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : [value];
        return new Argument(word[..equals], values);
    }
}
