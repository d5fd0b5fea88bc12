using System.Buffers;

namespace Coordinator.Silo.Http;

/// <summary>The trace that a request belongs to, as W3C Trace Context has it.</summary>
internal static class TraceParent
{
    private const int TraceIdAt = 3;
    private const int TraceIdLength = 32;
    private const int Length = 55;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    /// <returns>Empty when there is none, or one that cannot be read: the standard wants that passed over.</returns>
    public static string TraceIdOf(HttpRequest request)
    {
        if (request.Headers["traceparent"] is not [{ } header])
            return "";
        // version "-" trace id "-" parent id "-" flags; later versions may say more after another "-".
        bool fits = header.Length >= Length && header[2] == '-' && header[35] == '-' && header[52] == '-'
            && IsHex(header.AsSpan(0, 2)) && !header.StartsWith("ff", StringComparison.Ordinal)
            && (header.Length == Length || (header[Length] == '-' && !header.StartsWith("00", StringComparison.Ordinal)))
            && IsHex(header.AsSpan(36, 16)) && IsHex(header.AsSpan(53, 2));
        if (!fits)
            return "";
        ReadOnlySpan<char> traceId = header.AsSpan(TraceIdAt, TraceIdLength);
        return IsHex(traceId) && traceId.ContainsAnyExcept('0') ? traceId.ToString() : "";
    }

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Hex);
}
