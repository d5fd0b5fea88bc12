using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Network;
using Google.Protobuf;

namespace Coordinator.Simulation.Cluster;

/// <summary>
/// A silo's end of one client connection: frames to tickets, answers to frames, as the real interface does. Commands and
/// reads go to this silo's own replica; where it doesn't lead, the client is told who does.
/// </summary>
internal sealed class SiloConnection(
    PeerProcess process, SimulatedStream stream, EventQueue events, Prng random, Action<ServerFrame> deliver)
{
    private readonly Dictionary<long, CommandTicket> _open = [];
    private readonly SortedDictionary<long, SiloWatch> _watches = [];
    private readonly HashSet<long> _watched = [];
    private bool _isClosed;

    public void Receive(ClientFrame frame)
    {
        if (_isClosed)
            return;
        switch (frame.BodyCase)
        {
            case ClientFrame.BodyOneofCase.Hello:
                Send(new ServerFrame
                {
                    CorrelationId = frame.CorrelationId,
                    Welcome = new Welcome { ProtocolVersion = Limits.ProtocolVersion, Groups = 1, SiloId = $"silo-{process.Peer}" },
                });
                break;
            case ClientFrame.BodyOneofCase.Command:
                Submit(frame.CorrelationId, frame.Command);
                break;
            case ClientFrame.BodyOneofCase.Query:
                process.Submit(new ClientQueryTicket(frame.Query, (_, answer) =>
                {
                    answer.LeaderHint = answer.Error == ErrorCode.NotLeader ? LeaderHint() : "";
                    Send(new ServerFrame { CorrelationId = frame.CorrelationId, Query = answer });
                }));
                break;
            case ClientFrame.BodyOneofCase.KeepAlive:
                KeepAlive(frame.CorrelationId, frame.KeepAlive.SessionId);
                break;
            case ClientFrame.BodyOneofCase.Watch:
                Watch(frame.CorrelationId, frame.Watch);
                break;
            case ClientFrame.BodyOneofCase.Abandon:
                if (_watches.Remove(frame.CorrelationId, out SiloWatch? watch))
                    watch.End();
                if (_open.Remove(frame.CorrelationId, out CommandTicket? ticket))
                    process.Forget(ticket);
                break;
        }
    }

    public void Tell(EndedSession ended)
    {
        if (!_watched.Remove(ended.SessionId))
            return;
        string reason = ended.Reason == SessionEndReason.Expired ? "expired" : "closed";
        Send(new ServerFrame { SessionEnded = new SessionEnded { SessionId = ended.SessionId, Reason = reason } });
    }

    public void Break() => stream.Break();

    /// <summary>The connection is gone: nobody waits for what is open; the commands stand.</summary>
    public void Close()
    {
        _isClosed = true;
        foreach (CommandTicket ticket in _open.OrderBy(open => open.Key).Select(open => open.Value))
            process.Forget(ticket);
        _open.Clear();
        foreach (SiloWatch watch in _watches.Values)
            watch.End();
        _watches.Clear();
        process.Closed(this);
    }

    private void Submit(long correlationId, Command command)
    {
        var ticket = new ClientCommandTicket(command, command.ToByteArray(), (_, answer) =>
        {
            _open.Remove(correlationId);
            answer.LeaderHint = answer.Result.Error == ErrorCode.NotLeader ? LeaderHint() : "";
            Send(new ServerFrame { CorrelationId = correlationId, Command = answer });
        });
        _open[correlationId] = ticket;
        process.Submit(ticket);
    }

    private void KeepAlive(long correlationId, long sessionId) =>
        process.Submit(new ClientKeepAliveTicket(sessionId, (_, answer) =>
        {
            if (answer.Error == ErrorCode.Ok)
                _watched.Add(sessionId);
            Send(new ServerFrame { CorrelationId = correlationId, KeepAlive = answer });
        }));

    private void Watch(long correlationId, Watch asked)
    {
        var watch = new SiloWatch(process, asked, events, random, page =>
        {
            if (page.Error != ErrorCode.Ok)
                _watches.Remove(correlationId);
            Send(new ServerFrame { CorrelationId = correlationId, WatchPage = page });
        });
        _watches.Add(correlationId, watch);
        watch.Ask();
    }

    private string LeaderHint() =>
        process.Machine?.GetStatus().Leader is { IsNone: false } leader && leader != process.Peer
            ? SiloAddress.Of(leader)
            : "";

    private void Send(ServerFrame frame) => stream.ToClient(() => deliver(frame));
}
