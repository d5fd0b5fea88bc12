using System.Text;

namespace Coordinator.Contracts;

/// <summary>
/// The rule for names of locks and keys: 1 byte to 1 KiB of UTF-8, segments separated by '/', no segment empty,
/// "." or "..", no control characters, no unpaired surrogates, no U+FFFD. No name is reserved.
/// </summary>
public static class ResourceName
{
    /// <summary>Null when <paramref name="name"/> is valid, otherwise what is wrong with it, for a person.</summary>
    public static string? Problem(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return "The name is empty.";
        // A name over the limit in UTF-16 units is over it in bytes: no need to scan a megabyte to refuse it.
        if (name.Length > Limits.NameBytesMax || Encoding.UTF8.GetByteCount(name) > Limits.NameBytesMax)
            return $"The name is longer than {Limits.NameBytesMax} bytes of UTF-8.";
        return CharacterProblem(name) ?? SegmentProblem(name);
    }

    /// <summary>
    /// Null when <paramref name="prefix"/> may start a valid name; an empty prefix starts all of them.
    /// </summary>
    public static string? PrefixProblem(string? prefix)
    {
        if (string.IsNullOrEmpty(prefix))
            return null;
        if (prefix.Length > Limits.NameBytesMax || Encoding.UTF8.GetByteCount(prefix) > Limits.NameBytesMax)
            return $"The prefix is longer than {Limits.NameBytesMax} bytes of UTF-8.";
        return CharacterProblem(prefix);
    }

    /// <summary>Null when <paramref name="label"/> (label, metadata, content type) is text that can be kept.</summary>
    public static string? LabelProblem(string? label)
    {
        if (string.IsNullOrEmpty(label))
            return null;
        if (label.Length > Limits.LabelBytesMax || Encoding.UTF8.GetByteCount(label) > Limits.LabelBytesMax)
            return $"The text is longer than {Limits.LabelBytesMax} bytes of UTF-8.";
        return CharacterProblem(label);
    }

    private static string? CharacterProblem(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsControl(c))
                return $"Character {i} is the control character U+{(int)c:X4}.";
            // Readers of UTF-8 put U+FFFD in the place of bytes that are none: two different names would become one.
            if (c == '\uFFFD')
                return $"Character {i} is U+FFFD, which stands for bytes that are not UTF-8.";
            if (!char.IsSurrogate(c))
                continue;
            if (!char.IsHighSurrogate(c) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                return $"Character {i} is not valid Unicode.";
            i++;
        }
        return null;
    }

    private static string? SegmentProblem(string name)
    {
        foreach (Range range in name.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> segment = name.AsSpan(range);
            if (segment.IsEmpty)
                return "A segment of the name is empty: it may not begin or end with '/' or contain \"//\".";
            if (segment is "." or "..")
                return $"A segment of the name is \"{segment}\".";
        }
        return null;
    }
}
