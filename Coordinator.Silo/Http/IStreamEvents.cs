using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>What one event stream makes of the pages of its watch.</summary>
internal interface IStreamEvents
{
    /// <summary>Whether the last event goes on with the next page.</summary>
    bool IsInside { get; }

    /// <param name="page">One without an error.</param>
    void Write(WatchPage page, EventText text);
}
