using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Client;

/// <summary>A machine with one watch of "app/", and what its consumer has been given.</summary>
internal sealed class StreamHost
{
    private readonly object _caller;

    public StreamHost(long from = 5, bool reportProgress = false, params string[] endpoints)
    {
        Host = new MachineHost(1024, endpoints) { ShowsObservers = true };
        Stream = new ConfigStream(
            new WatchConfig { Key = "app/", IsPrefix = true, FromRevision = from }, reportProgress);
        _caller = Host.Submit(Stream);
        Host.Connect();
        Asked = TakeWatch();
    }

    public MachineHost Host { get; }

    public ConfigStream Stream { get; }

    /// <summary>The last watch that was sent.</summary>
    public ClientFrame Asked { get; private set; }

    public long AskedFrom => Asked.Watch.Config.FromRevision;

    public IEnumerable<long> Delivered => Items.Select(item => item.Number);

    public List<StreamItem.Revision> Items =>
        [.. Host.Arrived.Where(arrived => arrived.Caller == _caller).Select(arrived => (StreamItem.Revision)arrived.Item)];

    public Completion? End => Host.Completed.GetValueOrDefault(_caller);

    public static ConfigEvent Put(long revision, string key = "app/a", int bytes = 1) => new()
    {
        Entry = new ConfigEntry
        {
            Key = key,
            Version = 1,
            ModifyRevision = revision,
            Value = ByteString.CopyFrom(new byte[bytes]),
        },
    };

    public static WatchPage Page(long next, params ConfigEvent[] events) => PageOf(0, next, events);

    public static WatchPage PageOf(int group, long next, params ConfigEvent[] events) =>
        new() { NextRevision = next, Events = { events }, Position = new Position { Group = group, Index = next * 10 } };

    public ClientFrame TakeWatch() => Asked = Host.TakeNext(frame => frame.Watch is not null);

    public void Receive(WatchPage page) => Receive(Host.Link, Asked.CorrelationId, page);

    public void Receive(int link, long correlationId, WatchPage page) =>
        Host.Receive(link, new ServerFrame { CorrelationId = correlationId, WatchPage = page });

    public void Refuse(ErrorCode error) => Receive(new WatchPage { Error = error, CompactedRevision = 9 });

    /// <summary>The connection is lost, and the next one stands.</summary>
    public ClientFrame Reconnect()
    {
        Host.Disconnect();
        if (Host.Sent.Count == 0)
            Host.PassTicking(TimeSpan.FromSeconds(5));
        Host.Connect();
        return TakeWatch();
    }

    public void Take(int items, long bytes)
    {
        Host.Machine.Taken(Stream, items, bytes, Host.Now);
        Host.Pass(TimeSpan.Zero);
    }
}
