using System.Net;
using Coordinator.Contracts;
using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Silo.Http;

/// <summary>
/// Stands before everything: a page in someone's browser must not reach a silo on that machine. A rebound name is
/// found by its Host header, a foreign page by its Origin. Tools send no Origin and are not concerned.
/// </summary>
internal sealed class Guards(HttpInterfaceOptions options, ILogger logger)
{
    private const int LoggedCharactersMax = 100;

    private readonly HashSet<string> _hosts = new(options.AllowedHosts, StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _origins = new(options.AllowedOrigins, StringComparer.OrdinalIgnoreCase);

    public Refusal? Check(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (!IsOwnHost(request.Host, context.Connection.LocalIpAddress))
        {
            logger.ForbiddenHost(Printable(request.Host.Value ?? ""));
            // The value as it was sent: the host's ToString throws at what is no international name.
            return new Refusal(ErrorCode.ForbiddenHost,
                $"This silo is not known as \"{request.Host.Value}\": use its address, or add the name to AllowedHosts.");
        }
        if (request.Headers.Origin.Count == 0 || !ChangesState(context) || IsOwnOrigin(request))
            return null;
        logger.ForbiddenOrigin(request.Method, Printable(request.Headers.Origin.ToString()));
        return new Refusal(ErrorCode.ForbiddenOrigin,
            $"Pages of \"{request.Headers.Origin}\" may not call this silo: AllowedOrigins names those that may.");
    }

    // The port is not compared: through a tunnel it is another one, and a page that was rebound has another name.
    private bool IsOwnHost(HostString host, IPAddress? local)
    {
        if (!host.HasValue)
            return false;
        if (host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return true;
        if (_hosts.Contains(host.Host) || _hosts.Contains(host.Value))
            return true;
        return IPAddress.TryParse(host.Host, out IPAddress? address)
            && (IPAddress.IsLoopback(address) || (local is not null && address.MapToIPv6().Equals(local.MapToIPv6())));
    }

    /// <summary>Of a stranger's making: short, and without what would steer a terminal.</summary>
    private static string Printable(string header) =>
        string.Concat(header.Take(LoggedCharactersMax).Select(c => char.IsControl(c) ? '?' : c));

    private bool IsOwnOrigin(HttpRequest request) =>
        request.Headers.Origin is [{ } origin]
        && (origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase)
            || _origins.Contains(origin));

    // A WebSocket is opened with a GET (or, in HTTP/2, a CONNECT), and browsers let any page open one.
    private static bool ChangesState(HttpContext context) =>
        !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true };
}
