using System.Threading.Channels;
using Coordinator.Client.Machine;

namespace Coordinator.Client.Connection;

/// <summary>
/// The consumer of a stream. Invariant: once the items are complete, so is the call, which says why they end.
/// </summary>
internal sealed class StreamCall(StreamOperation stream) : PendingCall(stream)
{
    // Bounded by the machine, which puts a watch off whose consumer falls behind.
    private readonly Channel<StreamItem> _items = Channel.CreateUnbounded<StreamItem>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    public StreamOperation Stream { get; } = stream;

    public ChannelReader<StreamItem> Items => _items.Reader;

    public void Add(StreamItem item) => _items.Writer.TryWrite(item);

    public override void End(Completion completion)
    {
        base.End(completion);
        _items.Writer.TryComplete();
    }

    public override void Fail(Exception fault)
    {
        base.Fail(fault);
        _items.Writer.TryComplete();
    }
}
