using Coordinator.Grains;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Coordinator.Silo.Http;

/// <summary>How a silo's process takes in the HTTP+JSON interface.</summary>
public static class CoordinatorHttp
{
    /// <summary>The options of both interfaces, and the server's own bounds that follow from them.</summary>
    public static IServiceCollection AddCoordinatorHttp(
        this IServiceCollection services, Action<HttpInterfaceOptions>? configure = null)
    {
        services.AddOptions<HttpInterfaceOptions>().Configure(options => configure?.Invoke(options));
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<HttpInterfaceOptions>>((server, options) =>
        {
            server.AddServerHeader = false;
            server.Limits.MaxRequestBodySize = HttpInterfaceOptions.BodyBytesMax;
            server.Limits.MaxConcurrentConnections = options.Value.ConnectionsMax;
            server.Limits.MaxConcurrentUpgradedConnections = options.Value.ConnectionsMax;
        });
        return services;
    }

    /// <summary>To stand first in the pipeline: names every fault, refuses unknown hosts and foreign origins.</summary>
    public static void UseCoordinatorGuards(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        ILogger logger = LoggerOf(app);
        Faults faults = new(logger);
        Guards guards = new(OptionsOf(app), logger);
        app.Use(next => context => faults.InvokeAsync(context, next));
        app.Use(next => context => guards.Check(context) is { } refusal
            ? Problems.WriteAsync(context, refusal)
            : next(context));
    }

    /// <summary>To be the last of the pipeline: answers every request.</summary>
    public static void MapCoordinatorHttp(this IApplicationBuilder app, GroupGateway gateway) =>
        MapCoordinatorHttp(app, [gateway]);

    /// <param name="gateways">The doors to all groups of the cluster, by their numbers.</param>
    public static void MapCoordinatorHttp(this IApplicationBuilder app, IReadOnlyList<GroupGateway> gateways)
    {
        ArgumentNullException.ThrowIfNull(app);
        HttpInterfaceOptions options = OptionsOf(app);
        ILogger logger = LoggerOf(app);
        CheckedGateway checkedGateway = new(gateways, logger);
        EventStreams streams = new(checkedGateway, options, TimeOf(app), logger, StoppingOf(app));
        SnapshotStreams snapshots = new(options, TimeOf(app), logger);
        HttpRouter router = new(checkedGateway, options, streams, snapshots);
        // No ASP.NET routing: the router reads the raw target itself.
        app.Run(router.RouteAsync);
    }

    internal static HttpInterfaceOptions OptionsOf(IApplicationBuilder app) =>
        app.ApplicationServices.GetRequiredService<IOptions<HttpInterfaceOptions>>().Value;

    internal static TimeProvider TimeOf(IApplicationBuilder app) =>
        app.ApplicationServices.GetService<TimeProvider>() ?? TimeProvider.System;

    internal static CancellationToken StoppingOf(IApplicationBuilder app) =>
        app.ApplicationServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

    internal static ILogger LoggerOf(IApplicationBuilder app) =>
        app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Coordinator.Silo.Http");
}
