using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Threading.Channels;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Client;

/// <summary>
/// A WebSocket endpoint that speaks the frames over a <see cref="FakeCluster"/> for each group, and misbehaves when told to.
/// </summary>
internal sealed class FakeSilo : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly FakeCluster[] _clusters;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly ConcurrentDictionary<WebSocket, Channel<ServerFrame>> _connections = [];

    private FakeSilo(FakeCluster[] clusters, string address)
    {
        _clusters = clusters;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(address);
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Map("/v1/connect", AcceptAsync);
    }

    public string Address => _app.Urls.First();

    /// <summary>Connections accepted so far.</summary>
    public int Accepted { get; private set; }

    public int Messages { get; private set; }

    /// <summary>What the silo does with a frame instead of the usual; true: done with it.</summary>
    public Func<ClientFrame, ChannelWriter<ServerFrame>, bool> Intercept { get; set; } = (_, _) => false;

    /// <summary>Reads and never answers, as behind a firewall that forgot the connection.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>A message that the silo begins a connection with, by the connection's number from 1 on.</summary>
    public Func<int, byte[]?> Garbage { get; set; } = _ => null;

    public static Task<FakeSilo> StartAsync(FakeCluster? cluster = null, string address = "http://127.0.0.1:0") =>
        StartAsync([cluster ?? new FakeCluster()], address);

    public static async Task<FakeSilo> StartAsync(FakeCluster[] clusters, string address = "http://127.0.0.1:0")
    {
        FakeSilo silo = new(clusters, address);
        await silo._app.StartAsync();
        return silo;
    }

    public void Break()
    {
        foreach (WebSocket socket in _connections.Keys)
            socket.Abort();
    }

    public T Look<T>(Func<FakeCluster, T> look, int group = 0)
    {
        lock (_clusters)
            return look(_clusters[group]);
    }

    /// <summary>To all who are connected.</summary>
    public void Push(ServerFrame frame)
    {
        foreach (Channel<ServerFrame> connection in _connections.Values)
            connection.Writer.TryWrite(frame);
    }

    public async ValueTask DisposeAsync()
    {
        Break();
        await _app.DisposeAsync();
    }

    private async Task AcceptAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        int number = ++Accepted;
        Channel<ServerFrame> outgoing = Channel.CreateUnbounded<ServerFrame>();
        _connections[socket] = outgoing;
        if (Garbage(number) is { } garbage)
            await socket.SendAsync(garbage, WebSocketMessageType.Binary, true, context.RequestAborted);
        Task writing = WriteAsync(socket, outgoing.Reader);
        try
        {
            await ReadAsync(socket, outgoing.Writer);
        }
        catch (WebSocketException)
        {
            // The client, or Break, ended it.
        }
        outgoing.Writer.TryComplete();
        await writing;
        _connections.TryRemove(socket, out _);
    }

    private async Task ReadAsync(WebSocket socket, ChannelWriter<ServerFrame> outgoing)
    {
        FrameDecoder<ClientFrame> decoder = FrameDecoder.ForSilo();
        byte[] message = new byte[Limits.MessageBytesMax];
        while (true)
        {
            int length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(message.AsMemory(length), default);
                length += part.Count;
            }
            while (!part.EndOfMessage);
            if (part.MessageType == WebSocketMessageType.Close)
                return;
            Messages++;
            List<ClientFrame> frames = [];
            Assert.Null(decoder.Decode(message.AsSpan(0, length), frames));
            foreach (ClientFrame frame in frames)
                Handle(frame, outgoing);
        }
    }

    private static async Task WriteAsync(WebSocket socket, ChannelReader<ServerFrame> outgoing)
    {
        OutgoingFrames waiting = new();
        byte[] message = new byte[Limits.MessageBytesMax];
        try
        {
            while (await outgoing.WaitToReadAsync())
            {
                int bytes;
                do
                {
                    while (outgoing.TryRead(out ServerFrame? frame))
                        waiting.Add(frame);
                    bytes = waiting.WriteMessage(message);
                    if (bytes > 0)
                        await socket.SendAsync(message.AsMemory(0, bytes), WebSocketMessageType.Binary, true, default);
                }
                while (bytes > 0);
            }
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Nobody is there to read it.
        }
    }

    private void Handle(ClientFrame frame, ChannelWriter<ServerFrame> outgoing)
    {
        if (IsDeaf || Intercept(frame, outgoing))
            return;
        lock (_clusters)
        {
            foreach (FakeCluster each in _clusters)
                each.Advance(Stopwatch.GetElapsedTime(_start));
            FakeCluster cluster = _clusters[frame.Group];
            switch (frame.BodyCase)
            {
                case ClientFrame.BodyOneofCase.Hello:
                    outgoing.TryWrite(new ServerFrame { Welcome = new Welcome { ProtocolVersion = 1, Groups = _clusters.Length, SiloId = "fake" } });
                    break;
                case ClientFrame.BodyOneofCase.KeepAlive:
                    KeepAliveAnswer alive = cluster.KeepAlive(frame.KeepAlive.SessionId);
                    outgoing.TryWrite(new ServerFrame { CorrelationId = frame.CorrelationId, KeepAlive = alive });
                    break;
                case ClientFrame.BodyOneofCase.Command:
                    cluster.Execute(frame.Command, answer =>
                        outgoing.TryWrite(new ServerFrame { CorrelationId = frame.CorrelationId, Command = answer }));
                    break;
                case ClientFrame.BodyOneofCase.Query:
                    QueryAnswer read = cluster.Read(frame.Query);
                    outgoing.TryWrite(new ServerFrame { CorrelationId = frame.CorrelationId, Query = read });
                    break;
            }
        }
    }
}
