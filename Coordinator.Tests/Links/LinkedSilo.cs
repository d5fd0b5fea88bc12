using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Silo.Links;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Links;

/// <summary>One silo's links, and all that they told.</summary>
internal sealed class LinkedSilo : IAsyncDisposable
{
    private LinkedSilo(LinkOptions options, Func<LinkHandlers, LinkHandlers> handlers)
    {
        Id = options.SiloId;
        Loggers = LoggerFactory.Create(logging => logging.AddProvider(new Collecting(Log)));
        Links = new SiloLinks(options, handlers(new LinkHandlers
        {
            Received = (silo, envelope) =>
            {
                Received.Enqueue((silo, envelope));
                OnReceived?.Invoke(silo, envelope);
            },
            LinkUp = silo => Events.Enqueue($"up {silo}"),
            LinkLost = silo => Events.Enqueue($"lost {silo}"),
            Unreachable = Unreachable.Enqueue,
            SnapshotFailed = SnapshotsFailed.Enqueue,
            FactsReceived = (silo, facts) => Facts.Enqueue((silo, facts)),
            Refused = (silo, refusal, _) => Refused.Enqueue((silo, refusal)),
        }), TimeProvider.System, Loggers);
    }

    public string Id { get; }

    public SiloLinks Links { get; }

    public ConcurrentQueue<(string Silo, Envelope Envelope)> Received { get; } = new();

    public Action<string, Envelope>? OnReceived { get; set; }

    public ConcurrentQueue<string> Events { get; } = new();

    public ConcurrentQueue<string> Unreachable { get; } = new();

    public ConcurrentQueue<Envelope> SnapshotsFailed { get; } = new();

    public ConcurrentQueue<(string Silo, SiloFacts Facts)> Facts { get; } = new();

    public ConcurrentQueue<(string Silo, LinkRefusal Refusal)> Refused { get; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    private ILoggerFactory Loggers { get; }

    public static async Task<LinkedSilo> StartAsync(
        LinkOptions options, Func<LinkHandlers, LinkHandlers>? handlers = null)
    {
        LinkedSilo silo = new(options, handlers ?? (same => same));
        await silo.Links.StartAsync(CancellationToken.None);
        return silo;
    }

    public bool IsUp(string silo) => Links.StatusOf(silo).IsUp;

    public bool Logged(string text) => Log.Any(line => line.Contains(text, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await Links.DisposeAsync();
        Loggers.Dispose();
    }

    private sealed class Collecting(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id is >= 1200 and < 1300)
                lines.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
