using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

/// <summary>
/// Watches whose pages a test writes, one line of them for each watch in the order in which they were opened; and what the
/// interface before them asks for.
/// </summary>
internal sealed class ScriptedWatches
{
    private readonly ConcurrentQueue<Channel<WatchPage>> _lines = new();
    private int _asked;
    private int _open;

    public ScriptedWatches(HttpMemoryGateway group) => group.Watching = (_, abandoned) => YieldAsync(abandoned);

    /// <summary>What every new watch yields at once.</summary>
    public WatchPage[] Beginning { get; init; } = [];

    /// <summary>How many pages were asked for, of all watches.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Watches that have been begun and not been disposed of.</summary>
    public int Open => Volatile.Read(ref _open);

    public int Opened => _lines.Count;

    public static WatchPage Page(long next, params ConfigEvent[] events) => new()
    {
        Position = new Position { Term = 7, Index = next + 100, Revision = next - 1 },
        NextRevision = next,
        Events = { events },
    };

    public static ConfigEvent Put(string key, long revision, string value = "v") => new()
    {
        Entry = new ConfigEntry
        {
            Key = key,
            Value = Google.Protobuf.ByteString.CopyFromUtf8(value),
            ContentType = "text/plain",
            Version = 1,
            CreateRevision = revision,
            ModifyRevision = revision,
        },
    };

    public static ConfigEvent Deleted(string key, long revision) =>
        new() { Entry = new ConfigEntry { Key = key, ModifyRevision = revision } };

    /// <summary>The next page of the watch that was opened as number <paramref name="watch"/>, from 0 on.</summary>
    public void Write(WatchPage page, int watch = 0) => _lines.ElementAt(watch).Writer.TryWrite(page);

    /// <summary>Ends the watch without a last page, which no gateway should.</summary>
    public void Break(int watch = 0, Exception? failure = null) => _lines.ElementAt(watch).Writer.Complete(failure);

    private async IAsyncEnumerable<WatchPage> YieldAsync([EnumeratorCancellation] CancellationToken abandoned)
    {
        Channel<WatchPage> line = Channel.CreateUnbounded<WatchPage>();
        foreach (WatchPage page in Beginning)
            line.Writer.TryWrite(page);
        Interlocked.Increment(ref _open);
        _lines.Enqueue(line);
        try
        {
            while (true)
            {
                Interlocked.Increment(ref _asked);
                if (!await line.Reader.WaitToReadAsync(abandoned))
                    yield break;
                yield return line.Reader.TryRead(out WatchPage? page) ? page : throw new InvalidOperationException("Two readers.");
            }
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
