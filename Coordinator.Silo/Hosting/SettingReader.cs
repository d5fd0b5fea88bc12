using System.Globalization;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// Reads typed values from one section and gathers what is wrong. A bad value counts as its default from there on: it
/// is reported once, and the caller refuses the whole at the end.
/// </summary>
internal sealed class SettingReader(IConfigurationSection section)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems => _problems;

    public void AddProblem(string problem) => _problems.Add(problem);

    public T Read<T>(string key, string defaultText, Func<string, T?> parse, string allowed)
        where T : class
    {
        if (Raw(key) is { } text)
        {
            if (parse(text) is { } value)
            {
                return value;
            }

            Refuse(key, text, allowed);
        }

        return parse(defaultText)!;
    }

    public string Text(string key, string defaultValue) =>
        Read(key, defaultValue, text => string.IsNullOrWhiteSpace(text) ? null : text, "a text that is not empty");

    /// <summary>Null if it is absent or empty.</summary>
    public string? OptionalText(string key) => Raw(key) is { Length: > 0 } text ? text : null;

    public bool Flag(string key, bool defaultValue) =>
        ReadValue(key, defaultValue, text => bool.TryParse(text, out bool value) ? value : null, "true or false");

    public int Number(string key, int defaultValue, int min, int max) => ReadValue<int>(
        key,
        defaultValue,
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
            && value >= min && value <= max ? value : null,
        $"a whole number from {min} to {max}");

    /// <summary>"500ms", "1.5s", "2m", "1h" or "00:00:01.5"; a bare number would leave its unit to guess.</summary>
    public TimeSpan Duration(string key, TimeSpan defaultValue, TimeSpan min, TimeSpan max) => ReadValue<TimeSpan>(
        key,
        defaultValue,
        text => ParseDuration(text) is { } value && value >= min && value <= max ? value : null,
        $"a time from {Describe(min)} to {Describe(max)}, written as 500ms, 1.5s, 2m, 1h or 00:00:01.5");

    /// <summary>How long a peer has to be lost until it is replaced by itself; null: it is not.</summary>
    public TimeSpan? ReplaceLostPeersAfter(string part) => OptionalText($"{part}:ReplaceLostPeersAfter") is null
        ? null
        : Duration($"{part}:ReplaceLostPeersAfter", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(5), TimeSpan.FromDays(1));

    /// <summary>The names of the sections in an array, in order.</summary>
    public IReadOnlyList<string> ChildrenOf(string key) => [.. section.GetSection(key).GetChildren().Select(child => child.Key)];

    /// <summary>An array, or one text with commas.</summary>
    public IReadOnlyList<string> List(string key)
    {
        IEnumerable<string> values = section.GetSection(key).GetChildren().Select(child => child.Value ?? "");
        _known.UnionWith(section.GetSection(key).GetChildren().Select(child => $"{key}:{child.Key}"));
        return [.. values.Concat((Raw(key) ?? "").Split(',')).Select(value => value.Trim()).Where(value => value.Length > 0)];
    }

    /// <summary>Call last: every key that was not asked for by then is unknown.</summary>
    public void CheckForUnknownKeys()
    {
        foreach ((string path, string? value) in section.AsEnumerable(makePathsRelative: true))
        {
            if (value is not null && !_known.Contains(path))
            {
                string names = string.Join(", ", _known.Where(name => !name.Any(char.IsDigit)).Order(StringComparer.Ordinal));
                AddProblem($"{section.Path}:{path} is not an option. The options are: {names}.");
            }
        }
    }

    internal static TimeSpan? ParseDuration(string text)
    {
        (string Suffix, TimeSpan Unit)[] units =
        [
            ("ms", TimeSpan.FromMilliseconds(1)), ("s", TimeSpan.FromSeconds(1)),
            ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)),
        ];
        foreach ((string suffix, TimeSpan unit) in units)
        {
            if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            {
                bool isNumber = double.TryParse(
                    text[..^suffix.Length].Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count);
                return isNumber && count * unit.TotalSeconds <= TimeSpan.FromDays(1000).TotalSeconds ? unit * count : null;
            }
        }

        return text.Contains(':', StringComparison.Ordinal)
            && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan span) ? span : null;
    }

    private static string Describe(TimeSpan span) =>
        span < TimeSpan.FromSeconds(1) ? $"{span.TotalMilliseconds:0}ms"
        : span < TimeSpan.FromMinutes(1) ? $"{span.TotalSeconds:0}s"
        : span.TotalHours % 1 != 0 ? $"{span.TotalMinutes:0}m" : $"{span.TotalHours:0}h";

    private T ReadValue<T>(string key, T defaultValue, Func<string, T?> parse, string allowed)
        where T : struct
    {
        if (Raw(key) is not { } text)
        {
            return defaultValue;
        }

        if (parse(text) is { } value)
        {
            return value;
        }

        Refuse(key, text, allowed);
        return defaultValue;
    }

    private string? Raw(string key)
    {
        _known.Add(key);
        return section[key];
    }

    private void Refuse(string key, string text, string allowed) =>
        AddProblem($"{section.Path}:{key} is \"{text}\": allowed is {allowed}.");
}
