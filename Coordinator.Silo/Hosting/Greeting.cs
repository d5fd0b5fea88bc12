using System.Net;

namespace Coordinator.Silo.Hosting;

/// <summary>What a silo says when it is ready: its address and commands that work as they stand.</summary>
internal static class Greeting
{
    public static string For(Uri address)
    {
        string url = ReachableFromHere(address);
        return $$"""

            Coordinator is ready at {{url}}

            Take a lock:
              id=$(curl -s {{url}}/v1/sessions -H 'Content-Type: application/json' -d '{"ttlSeconds":60,"namespace":"orders"}' | sed 's/.*"sessionId":"\([^"]*\)".*/\1/'); curl -s {{url}}/v1/locks/orders/42/acquire -H 'Content-Type: application/json' -d '{"sessionId":"'$id'","waitSeconds":5}'

            Store a setting and read it:
              curl -s -X PUT {{url}}/v1/config/orders/currency -H 'Content-Type: text/plain' -d EUR; curl -s {{url}}/v1/config/orders/currency

            Ctrl-C stops it.

            """;
    }

    private static string ReachableFromHere(Uri address)
    {
        bool isAny = IPAddress.TryParse(address.Host, out IPAddress? ip)
            && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
        string host = isAny ? "127.0.0.1" : address.Host;
        return $"http://{host}:{address.Port}";
    }
}
