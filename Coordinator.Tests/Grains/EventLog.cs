using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Grains;

/// <summary>Counts the events that were logged, by their stable ids.</summary>
/// <param name="events">Where to.</param>
internal sealed class EventLog(ConcurrentDictionary<int, int> events) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => events.AddOrUpdate(eventId.Id, 1, (_, count) => count + 1);

    public void Dispose()
    {
        // Nothing is held.
    }
}
