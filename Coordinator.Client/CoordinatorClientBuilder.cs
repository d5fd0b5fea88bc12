using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace Coordinator.Client;

/// <summary>Makes a client step by step; the same as <see cref="CoordinatorClientOptions"/>, whose pages say what each means.</summary>
/// <example><code>
/// await using CoordinatorClient client = new CoordinatorClientBuilder()
///     .AddEndpoint("http://127.0.0.1:7400")
///     .WithSessionTtl(TimeSpan.FromSeconds(30))
///     .Build();
/// </code></example>
public sealed class CoordinatorClientBuilder
{
    private readonly CoordinatorClientOptions _options = new();

    /// <inheritdoc cref="CoordinatorClientOptions.Endpoints"/>
    public CoordinatorClientBuilder AddEndpoint(string endpoint)
    {
        _options.Endpoints.Add(endpoint);
        return this;
    }

    /// <inheritdoc cref="CoordinatorClientOptions.SessionTtl"/>
    public CoordinatorClientBuilder WithSessionTtl(TimeSpan ttl) => With(options => options.SessionTtl = ttl);

    /// <inheritdoc cref="CoordinatorClientOptions.RequestTimeout"/>
    public CoordinatorClientBuilder WithRequestTimeout(TimeSpan timeout) => With(options => options.RequestTimeout = timeout);

    /// <inheritdoc cref="CoordinatorClientOptions.ClientName"/>
    public CoordinatorClientBuilder WithClientName(string name) => With(options => options.ClientName = name);

    /// <inheritdoc cref="CoordinatorClientOptions.TimeProvider"/>
    public CoordinatorClientBuilder WithTimeProvider(TimeProvider time) => With(options => options.TimeProvider = time);

    /// <inheritdoc cref="CoordinatorClientOptions.LoggerFactory"/>
    public CoordinatorClientBuilder WithLoggerFactory(ILoggerFactory loggers) =>
        With(options => options.LoggerFactory = loggers);

    /// <inheritdoc cref="CoordinatorClientOptions.ConfigureWebSocket"/>
    public CoordinatorClientBuilder WithWebSocket(Action<ClientWebSocketOptions> configure) =>
        With(options => options.ConfigureWebSocket = configure);

    /// <summary>Anything else.</summary>
    public CoordinatorClientBuilder With(Action<CoordinatorClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(_options);
        return this;
    }

    /// <summary>Connects to nothing yet. May be called again.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public CoordinatorClient Build() => new(_options);
}
