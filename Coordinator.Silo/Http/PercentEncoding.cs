using System.Buffers;
using System.Text;

namespace Coordinator.Silo.Http;

/// <summary>
/// Decodes percent-encoded text of a request target, once and strictly: a half escape, or bytes that are not UTF-8
/// (overlong forms included), give nothing, so that two targets never mean the same name by accident.
/// </summary>
internal static class PercentEncoding
{
    private static readonly UTF8Encoding StrictUtf8 =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="plusIsSpace">As in a query string; in a path a plus sign is itself.</param>
    /// <returns>Null if <paramref name="encoded"/> is not valid.</returns>
    public static string? Decode(ReadOnlySpan<char> encoded, bool plusIsSpace = false)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(encoded.Length);
        try
        {
            return DecodeInto(bytes, encoded, plusIsSpace) is { } count ? StrictUtf8.GetString(bytes, 0, count) : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static int? DecodeInto(byte[] bytes, ReadOnlySpan<char> encoded, bool plusIsSpace)
    {
        int count = 0;
        for (int i = 0; i < encoded.Length; i++)
        {
            char c = encoded[i];
            if (c == '%')
            {
                if (i + 2 >= encoded.Length
                    || !char.IsAsciiHexDigit(encoded[i + 1]) || !char.IsAsciiHexDigit(encoded[i + 2]))
                    return null;
                bytes[count++] = (byte)((Hex(encoded[i + 1]) << 4) | Hex(encoded[i + 2]));
                i += 2;
            }
            else if (!char.IsAscii(c))
            {
                return null;
            }
            else
            {
                bytes[count++] = c == '+' && plusIsSpace ? (byte)' ' : (byte)c;
            }
        }
        return count;
    }

    private static int Hex(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
