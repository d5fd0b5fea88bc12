using System.Net;
using System.Net.Sockets;
using Coordinator.Contracts;
using Coordinator.Silo.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// The HTTP server of the silo. It listens before anything else is started, so that a taken port is found out first;
/// until <see cref="Serve"/> it says that it is alive, and that it is not ready.
/// </summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly IPEndPoint _endpoint;
    private volatile RequestDelegate _pipeline = AnswerStarting;

    public WebServer(IConfiguration configuration, CoordinatorOptions options)
    {
        _endpoint = options.Listen;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        ConfigureLogging(builder.Logging, configuration);

        // The signals are the process's own affair: see StopSignals.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddCoordinatorHttp(http =>
        {
            http.AllowedHosts = options.AllowedHosts;
            http.AllowedOrigins = options.AllowedOrigins;
        });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(ConfigureKestrel);
        _app = builder.Build();
        _app.Run(context => _pipeline(context));
    }

    public ILoggerFactory Loggers => _app.Services.GetRequiredService<ILoggerFactory>();

    /// <summary>As it is after <see cref="StartAsync"/>: with the port that port 0 has become.</summary>
    public Uri Address => new(
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <exception cref="StartupException">The address cannot be had.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new StartupException(
                ExitCode.AddressUnavailable,
                $"Port {_endpoint.Port} of {_endpoint.Address} is taken by another program. Stop that one, or choose another "
                + $"port, for instance --listen http://{_endpoint.Address}:{(_endpoint.Port % 65535) + 1} (option Coordinator:Listen).",
                e);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new StartupException(
                ExitCode.AddressUnavailable,
                $"The address {_endpoint} cannot be listened on: {e.Message}. Choose another with --listen (option Coordinator:Listen).",
                e);
        }
    }

    /// <summary>From here on requests go through the pipeline that <paramref name="configure"/> makes.</summary>
    public void Serve(Action<IApplicationBuilder> configure)
    {
        IApplicationBuilder builder = ((IApplicationBuilder)_app).New();
        configure(builder);
        _pipeline = builder.Build();
    }

    /// <summary>Lets open requests end for as long as <paramref name="patience"/>, then cuts them off.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        using CancellationTokenSource cut = new(patience);
        await _app.StopAsync(cut.Token);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static Task AnswerStarting(HttpContext context)
    {
        bool isLive = context.Request.Path == "/health/live";
        context.Response.StatusCode = isLive ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = isLive ? "application/json" : "application/problem+json";
        return context.Response.WriteAsync(
            isLive
                ? """{"status":"live"}""" + "\n"
                : """{"type":"about:blank","title":"The silo is starting","status":503,"code":"Starting"}""" + "\n",
            context.RequestAborted);
    }

    private void ConfigureKestrel(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = Limits.RequestBytesMax;
        kestrel.Limits.MaxRequestLineSize = 16 * 1024; // A name of 1 KiB, percent-encoded, and a query with another.
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Listen(_endpoint, listen => listen.Protocols = HttpProtocols.Http1);
    }

    private static void ConfigureLogging(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Npgsql", LogLevel.Warning);
        logging.AddFilter("Orleans", LogLevel.Warning);

        // Failed starts are told to the person in a sentence of their own.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.AddConfiguration(configuration.GetSection("Logging"));
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
            console.ColorBehavior = LoggerColorBehavior.Default;
        });
    }

    internal sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
