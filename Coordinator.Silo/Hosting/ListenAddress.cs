using System.Globalization;
using System.Net;

namespace Coordinator.Silo.Hosting;

/// <summary>The written form of the address that a silo serves: http, an IP address, localhost or *, and a port.</summary>
internal static class ListenAddress
{
    public const string Allowed =
        "http://ADDRESS:PORT, where ADDRESS is an IP address, localhost or * (all) and PORT is 0 (any free one) to 65535";

    public static IPEndPoint? Parse(string text)
    {
        const string scheme = "http://";
        string rest = text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? text[scheme.Length..] : "";
        rest = rest.EndsWith('/') ? rest[..^1] : rest;
        int colon = rest.LastIndexOf(':');
        if (colon <= 0
            || !ushort.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            return null;
        }

        return ParseHost(rest[..colon]) is { } address ? new IPEndPoint(address, port) : null;
    }

    private static IPAddress? ParseHost(string host)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return IPAddress.Loopback;
        }

        if (host == "*")
        {
            return IPAddress.Any;
        }

        // "1" and "127.1" are addresses to IPAddress, but hardly what anybody means; IPv6 stands in brackets.
        bool isV6 = host.StartsWith('[') && host.EndsWith(']');
        return (isV6 || host.Count(c => c == '.') == 3)
            && IPAddress.TryParse(isV6 ? host[1..^1] : host, out IPAddress? address)
            ? address
            : null;
    }
}
