using System.Text;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Client;

/// <summary>What is refused before it is sent, and what text becomes.</summary>
internal static class Keys
{
    public const string PlainText = "text/plain; charset=utf-8";

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static byte[] Utf8(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return StrictUtf8.GetBytes(text);
    }

    public static void CheckKey(string key)
    {
        if (ResourceName.Problem(key) is { } problem)
            throw new ArgumentException(problem, nameof(key));
    }

    public static void CheckPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (ResourceName.PrefixProblem(prefix) is { } problem)
            throw new ArgumentException(problem, nameof(prefix));
    }

    public static void CheckGroup(int? group)
    {
        if (group < 0)
            throw new ArgumentOutOfRangeException(nameof(group), group, "Groups count from 0.");
    }

    public static void CheckRevision(long? revision)
    {
        if (revision < 1)
            throw new ArgumentOutOfRangeException(nameof(revision), revision, "Revisions count from 1.");
    }

    public static PutConfig MakePut(string key, ReadOnlySpan<byte> value, string contentType)
    {
        CheckKey(key);
        if (ResourceName.LabelProblem(contentType) is { } problem)
            throw new ArgumentException(problem, nameof(contentType));
        if (value.Length > Limits.ValueBytesMax)
            throw new ArgumentException(
                $"The value has {value.Length} bytes; at most {Limits.ValueBytesMax} are possible.", nameof(value));
        return new PutConfig { Key = key, Value = ByteString.CopyFrom(value), ContentType = contentType };
    }
}
