using System.Net;
using System.Net.WebSockets;
using Coordinator.Silo.Links;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Links;

/// <summary>Whoever listens at a silo's address without being one.</summary>
internal sealed class FakeListener : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeListener(WebApplication app) => _app = app;

    public IPEndPoint Address => new(IPAddress.Loopback, new Uri(_app.Urls.Single()).Port);

    public static async Task<FakeListener> StartAsync(Func<HandshakeSocket, Task> play)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        app.UseWebSockets();
        app.Run(async context =>
        {
            using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
            await play(new HandshakeSocket(socket));
        });
        await app.StartAsync();
        return new FakeListener(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
