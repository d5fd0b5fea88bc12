using System.Net.Sockets;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Google.Protobuf;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// One client that sends one case after another at /v1/connect. Each frame that asks something is answered, or the
/// connection ends with a failure that has a code.
/// </summary>
internal sealed class WireLane(FuzzTarget target) : IDisposable
{
    // Far from anything that is drawn; a request under it, sent last, shows that all before it was read.
    private const long MarkerBase = 1L << 61;
    private static readonly Query MarkerQuery = new() { Serializable = true, GetConfig = new GetConfig { Key = "marker" } };
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BrokenPatience = TimeSpan.FromMilliseconds(200);
    private static readonly ErrorCode[] Refusals = [ErrorCode.InvalidRequest, ErrorCode.RequestTooLarge];

    private RawWebSocket? _socket;
    private FrameDecoder<ServerFrame> _answers = FrameDecoder.ForClient();
    private FrameDecoder<ClientFrame> _model = FrameDecoder.ForSilo();

    /// <summary>The next case's correlation ids begin above it.</summary>
    public long NextId { get; private set; } = 1;

    public void Dispose() => _socket?.Dispose();

    public async Task RunAsync(WireCase sent, FuzzCounts counts)
    {
        if (sent.Fresh)
            Drop();
        await ConnectAsync(greet: !sent.Fresh);
        NextId += 10_000;
        HashSet<long> expected = Expected(sent, out bool spares);
        if (!spares)
        {
            // The model has seen what the silo has not.
            Drop();
            return;
        }
        Task sending = SendAsync(sent);
        if (!sent.Reads)
            await Task.WhenAny(sending, Task.Delay(TimeSpan.FromMilliseconds(200)));
        if (sent.Leaves)
        {
            await Task.WhenAny(sending, Task.Delay(TimeSpan.FromMilliseconds(200)));
            _socket!.Reset();
            Drop();
            await sending;
            counts.Add("wire left");
            return;
        }
        bool goesOn = await ReadAsync(expected, sent.Messages is not null);
        if (!goesOn)
            Drop();
        await sending;
        counts.Add(goesOn ? "wire answered" : "wire refused");
    }

    /// <summary>The correlation ids that have to be answered, by the contract's own decoder.</summary>
    private HashSet<long> Expected(WireCase sent, out bool spares)
    {
        HashSet<long> expected = [];
        List<ClientFrame> frames = [];
        foreach (byte[] message in sent.Messages ?? [])
            if (_model.Decode(message, frames) is not null)
                break;
        spares = frames.TrueForAll(frame => target.Spares(frame.ToString()));
        foreach (ClientFrame frame in frames)
            if (frame.BodyCase == ClientFrame.BodyOneofCase.Abandon)
                expected.Remove(frame.CorrelationId);
            else if (frame.BodyCase is not (ClientFrame.BodyOneofCase.None or ClientFrame.BodyOneofCase.Hello) && !Waits(frame))
                expected.Add(frame.CorrelationId);
        return expected;
    }

    private static bool Waits(IMessage message) => message.Descriptor.Fields.InDeclarationOrder().Any(field =>
        !field.IsRepeated && field.Accessor.GetValue(message) switch
        {
            IMessage inner => Waits(inner),
            long number => number != 0 && field.Name.Contains("wait", StringComparison.Ordinal),
            _ => false,
        });

    /// <returns>False when the connection has ended as it may.</returns>
    private async Task<bool> ReadAsync(HashSet<long> expected, bool understood)
    {
        using CancellationTokenSource deadline = new(understood ? Patience : BrokenPatience);
        long marker = MarkerBase + NextId;
        bool failed = false;
        try
        {
            while (failed || expected.Count > 0 || marker != 0)
            {
                if (await _socket!.ReceiveAsync(deadline.Token) is not { } message)
                    return failed || !understood ? false : throw new FuzzFinding($"The connection ended without a failure: {_socket.End}");
                List<ServerFrame> frames = [];
                if (_answers.Decode(message, frames) is { } error)
                    throw new FuzzFinding($"What the silo sent is no message: {error.Message}");
                foreach (ServerFrame frame in frames)
                {
                    FuzzRules.Check(frame);
                    failed |= Fails(frame);
                    expected.Remove(frame.CorrelationId);
                    marker = frame.CorrelationId == marker ? 0 : marker;
                }
            }
            return true;
        }
        catch (OperationCanceledException) when (!understood)
        {
            // The silo waits for the rest of a frame, and the marker was taken for a part of it.
            return false;
        }
        catch (OperationCanceledException)
        {
            throw new FuzzFinding(
                $"Not answered within {Patience.TotalSeconds} s: {string.Join(", ", expected.Take(10))}{(marker == 0 ? "" : ", the marker")}.");
        }
    }

    private static bool Fails(ServerFrame frame)
    {
        if (frame.BodyCase != ServerFrame.BodyOneofCase.Failure)
            return false;
        if (!Refusals.Contains(frame.Failure.Code) || frame.Failure.Message.Length == 0)
            throw new FuzzFinding($"A failure with the code {frame.Failure.Code}: {frame.Failure.Message}");
        return true;
    }

    private async Task SendAsync(WireCase sent)
    {
        RawWebSocket socket = _socket!;
        ClientFrame marker = new() { CorrelationId = MarkerBase + NextId, Query = MarkerQuery };
        try
        {
            await socket.SendAsync(sent.Sent);
            await socket.SendAsync(MessageOf(marker));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // Refused already, or left: the reading side sees why.
        }
    }

    private static byte[] MessageOf(ClientFrame frame)
    {
        OutgoingFrames frames = new();
        frames.Add(frame);
        byte[] message = new byte[Limits.MessageBytesMax];
        return RawWebSocket.Frame(Opcode.Binary, message.AsSpan(0, frames.WriteMessage(message)));
    }

    private async Task ConnectAsync(bool greet)
    {
        if (_socket is not null)
            return;
        _socket = await RawWebSocket.ConnectAsync(target);
        _answers = FrameDecoder.ForClient();
        _model = FrameDecoder.ForSilo();
        if (greet)
            await _socket.SendAsync(MessageOf(new ClientFrame { Hello = new Hello { ProtocolVersion = Limits.ProtocolVersion } }));
    }

    private void Drop()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
