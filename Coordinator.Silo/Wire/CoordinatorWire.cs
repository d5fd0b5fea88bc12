using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Silo.Http;

namespace Coordinator.Silo.Wire;

/// <summary>
/// How a silo's process takes in the interface of the native clients: frames on a WebSocket at /v1/connect.
/// </summary>
public static class CoordinatorWire
{
    /// <summary>
    /// To stand after <see cref="CoordinatorHttp.UseCoordinatorGuards"/>, which refuses foreign origins, and before
    /// <see cref="CoordinatorHttp.MapCoordinatorHttp(IApplicationBuilder, IReadOnlyList{GroupGateway})"/>, which answers all that is left.
    /// </summary>
    public static void MapCoordinatorWire(this IApplicationBuilder app, GroupGateway gateway, Welcome welcome) =>
        MapCoordinatorWire(app, [gateway], welcome);

    /// <inheritdoc cref="MapCoordinatorWire(IApplicationBuilder, GroupGateway, Welcome)"/>
    /// <param name="gateways">The doors to all groups of the cluster, by their numbers.</param>
    /// <param name="welcome">What each client is told of this silo; the protocol's version and the number of groups are filled in.</param>
    public static void MapCoordinatorWire(this IApplicationBuilder app, IReadOnlyList<GroupGateway> gateways, Welcome welcome)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(welcome);
        HttpInterfaceOptions options = CoordinatorHttp.OptionsOf(app);
        ILogger logger = CoordinatorHttp.LoggerOf(app);
        Welcome told = welcome.Clone();
        told.Groups = gateways.Count;
        told.ProtocolVersion = Limits.ProtocolVersion;
        WireSettings settings = new(new CheckedGateway(gateways, logger), told, options,
            CoordinatorHttp.TimeOf(app), logger);
        CancellationToken stopping = CoordinatorHttp.StoppingOf(app);
        // Dead connections are found by pings, within the interval and the timeout.
        app.UseWebSockets(new WebSocketOptions
        {
            KeepAliveInterval = options.PingInterval,
            KeepAliveTimeout = options.PingTimeout,
        });
        app.Use(next => context => RequestTarget.Of(context).Segments is ["v1", "connect"]
            ? ConnectAsync(context, settings, stopping)
            : next(context));
    }

    private static async Task ConnectAsync(HttpContext context, WireSettings settings, CancellationToken stopping)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            await Problems.WriteAsync(context, ErrorCode.InvalidRequest,
                "This path is for WebSockets.", status: StatusCodes.Status426UpgradeRequired);
            return;
        }
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        using WireConnection connection = new(socket, settings, context.Connection.Id, Commands.CallerOf(context));
        try
        {
            await connection.RunAsync(stopping);
            settings.Logger.WireEnded(context.Connection.Id);
        }
        catch (Exception e)
        {
            // Logged here: the answer has begun, and nobody above could tell it from a client that left.
            settings.Logger.WireFailed(e, context.Connection.Id);
        }
    }
}
