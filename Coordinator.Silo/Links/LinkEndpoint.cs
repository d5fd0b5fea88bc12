using System.Net;
using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Silo.Hosting;
using Coordinator.Silo.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Coordinator.Silo.Links;

/// <summary>
/// Where other silos reach this one: a listener of its own, that knows WebSockets at /v1/link and refuses all else.
/// </summary>
internal sealed class LinkEndpoint : IAsyncDisposable
{
    // Callers that have not proved anything yet, beside the links themselves.
    private const int StrangersMax = 64;

    private readonly WebApplication _app;
    private readonly LinkContext _context;
    private readonly LinkListener _listener;
    private readonly IReadOnlyDictionary<string, SiloLink> _links;
    private readonly CancellationToken _stopping;

    public LinkEndpoint(LinkContext context, IReadOnlyDictionary<string, SiloLink> links, ILoggerFactory loggers,
        CancellationToken stopping)
    {
        _context = context;
        _links = links;
        _stopping = stopping;
        _listener = new LinkListener(context);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, WebServer.NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(ConfigureKestrel);
        _app = builder.Build();
        _app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        _app.Run(ServeAsync);
    }

    public IPEndPoint Address
    {
        get
        {
            IServer server = _app.Services.GetRequiredService<IServer>();
            string address = server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new IPEndPoint(_context.Options.Listen.Address, new Uri(address).Port);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => _app.StartAsync(cancellationToken);

    /// <summary>The links have been closed: whoever is still in a handshake is cut off.</summary>
    public async Task StopAsync()
    {
        using CancellationTokenSource cut = new(TimeSpan.FromSeconds(1));
        await _app.StopAsync(cut.Token);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void ConfigureKestrel(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.MaxRequestLineSize = 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        kestrel.Limits.RequestHeadersTimeout = _context.Options.HandshakeTimeout;
        kestrel.Limits.KeepAliveTimeout = _context.Options.HandshakeTimeout;
        kestrel.Limits.MaxConcurrentConnections = StrangersMax + (2 * _context.Options.Peers.Count);
        kestrel.Limits.MaxConcurrentUpgradedConnections = StrangersMax + (2 * _context.Options.Peers.Count);
        kestrel.Listen(_context.Options.Listen, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            _context.Options.SecureListener?.Invoke(listen);
        });
    }

    private async Task ServeAsync(HttpContext http)
    {
        if (RequestTarget.Of(http).Segments is not ["v1", "link"])
        {
            await Problems.WriteAsync(http, ErrorCode.UnknownPath, "Only other silos have business here.");
            return;
        }
        // A silo sends no Origin; a page in a browser always does.
        if (http.Request.Headers.Origin.Count > 0)
        {
            await Problems.WriteAsync(http, ErrorCode.ForbiddenOrigin, "A page has no business here.");
            return;
        }
        if (!http.WebSockets.IsWebSocketRequest)
        {
            http.Response.Headers.Upgrade = "websocket";
            await Problems.WriteAsync(http, ErrorCode.InvalidRequest, "This path is for WebSockets.",
                status: StatusCodes.Status426UpgradeRequired);
            return;
        }
        using WebSocket socket = await http.WebSockets.AcceptWebSocketAsync();
        await TakeAsync(socket, http.Connection.RemoteIpAddress?.ToString() ?? "an unknown address");
    }

    // A reset, for what the caller still sends, would discard the verdict before the caller has read it.
    private static async Task LetReadAsync(WebSocket socket, CancellationToken deadline)
    {
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, deadline);
        byte[] ignored = new byte[LinkLimits.HandshakeMessageBytesMax];
        while ((await socket.ReceiveAsync(ignored.AsMemory(), deadline)).MessageType != WebSocketMessageType.Close)
        {
        }
    }

    private async Task TakeAsync(WebSocket socket, string remote)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(_stopping);
        using ITimer timer = _context.Time.CreateTimer(
            _ => deadline.Cancel(), null, _context.Options.HandshakeTimeout, Timeout.InfiniteTimeSpan);
        string silo = "(unknown)";
        try
        {
            if (await _listener.ShakeHandsAsync(new HandshakeSocket(socket), remote, deadline.Token) is { } session)
            {
                silo = session.Silo;
                await _links[silo].TakeAsync(
                    session, verdict => _listener.TellAsync(session, verdict, remote, deadline.Token), deadline.Token, _stopping);
            }
            if (socket.State == WebSocketState.Open)
                await LetReadAsync(socket, deadline.Token);
        }
        catch (Exception e) when (LinkConnection.IsLost(e))
        {
            // A caller that left, or took too long, before it was anybody.
        }
        catch (Exception e)
        {
            _context.Log.LinkFailed(e, silo);
        }
    }
}
