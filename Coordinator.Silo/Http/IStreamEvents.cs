using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>What one event stream makes of the pages of its watch.</summary>
internal interface IStreamEvents
{
    /// <summary>Whether the last event goes on with the next page.</summary>
    bool IsInside { get; }

    /// <summary>
    /// In small pieces, each made when it is asked for and gone with the next: what thousands of clients don't take must
    /// not wait thousands of times.
    /// </summary>
    /// <param name="page">One without an error.</param>
    IEnumerable<ReadOnlyMemory<byte>> Write(WatchPage page);
}
