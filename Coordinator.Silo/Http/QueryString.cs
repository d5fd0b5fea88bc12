using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// Reads a query string into <see cref="Fields"/>: each name once, percent-encoded UTF-8, a plus sign is a space.
/// </summary>
internal static class QueryString
{
    public static Fields Read(string query)
    {
        Dictionary<string, Field> fields = new(StringComparer.Ordinal);
        Fields result = new(fields, untyped: true);
        foreach (Range range in query.AsSpan().Split('&'))
        {
            ReadOnlySpan<char> pair = query.AsSpan(range);
            if (pair.IsEmpty)
                continue;
            int equals = pair.IndexOf('=');
            string? name = PercentEncoding.Decode(equals < 0 ? pair : pair[..equals], plusIsSpace: true);
            string? value = equals < 0 ? "" : PercentEncoding.Decode(pair[(equals + 1)..], plusIsSpace: true);
            if (name is null || value is null)
                result.Refuse(ErrorCode.InvalidRequest, "The query string is not percent-encoded UTF-8.");
            else if (!fields.TryAdd(name, new Field(FieldKind.Text, value)))
                result.Refuse(ErrorCode.InvalidRequest, $"\"{name}\" stands twice in the query string.");
        }
        return result;
    }
}
