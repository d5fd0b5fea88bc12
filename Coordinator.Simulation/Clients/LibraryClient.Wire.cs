using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Simulation.Clients;

/// <summary>What goes over the library's connections, seen by the invariants on the way.</summary>
internal sealed partial class LibraryClient
{
    private readonly Dictionary<long, Asked> _asked = [];

    /// <summary>Real time of what was sent, by the client's own clock: a session's lifetime names the latter alone.</summary>
    private readonly Dictionary<TimeSpan, long> _sentAtUs = [];
    private readonly Dictionary<Session, List<Holding>> _held = [];

    private void Send(ClientFrame frame)
    {
        if (_connection is not { } connection || _stream is not { } stream)
            return;
        Remember(frame);
        if (world.Bug.ResumesFromNow && frame.Watch?.Config is not null)
        {
            frame = frame.Clone();
            frame.Watch.Config.FromRevision = 0;
        }
        stream.ToSilo(() => connection.Receive(frame));
    }

    private void Remember(ClientFrame frame)
    {
        switch (frame.BodyCase)
        {
            case ClientFrame.BodyOneofCase.KeepAlive:
                _sentAtUs[Now.Monotonic] = world.Events.NowUs;
                break;
            case ClientFrame.BodyOneofCase.Command:
                if (frame.Command.OperationCase == Command.OperationOneofCase.CreateSession)
                    _sentAtUs[Now.Monotonic] = world.Events.NowUs;
                bool isRepeat = _asked.TryGetValue(frame.CorrelationId, out Asked before) && before.Frame == frame;
                if (isRepeat)
                    world.Happenings.Count(Engine.Happening.RequestRepeated);
                _asked[frame.CorrelationId] = new Asked(frame, 0, isRepeat);
                Invariants.CommandSent(this, frame.Command);
                break;
            case ClientFrame.BodyOneofCase.Watch:
                _asked[frame.CorrelationId] = new Asked(frame, 0, false);
                break;
            case ClientFrame.BodyOneofCase.Query:
                // What was known when it was first asked is what it must show; a repeat may be answered by either.
                if (_asked.TryAdd(frame.CorrelationId, new Asked(frame, frame.Query.Serializable ? 0 : Invariants.KnownIndex, false)))
                    Invariants.QuerySent(this, frame.Query);
                break;
        }
    }

    private void Receive(ClientMachine machine, int link, ServerFrame frame)
    {
        if (machine != _machine)
            return;
        if (frame is { BodyCase: ServerFrame.BodyOneofCase.SessionEnded, SessionEnded.SessionId: var ended })
            Invariants.SessionGone(ended);
        else if (frame is { BodyCase: ServerFrame.BodyOneofCase.KeepAlive, KeepAlive: { Error: ErrorCode.SessionNotFound, SessionId: var gone } })
            Invariants.SessionGone(gone);
        else if (_asked.TryGetValue(frame.CorrelationId, out Asked asked))
            Check(asked, frame);
        Run(m => m.Received(link, frame, Now));
        if (frame.BodyCase == ServerFrame.BodyOneofCase.WatchPage && _asked.TryGetValue(frame.CorrelationId, out Asked watch))
            NoteBeginning(watch.Frame, frame.WatchPage);
    }

    private void Check(Asked asked, ServerFrame answer)
    {
        if (asked.Frame.BodyCase == ClientFrame.BodyOneofCase.Command && answer.BodyCase == ServerFrame.BodyOneofCase.Command)
            Check(asked, answer.Command);
        else if (asked.Frame.BodyCase == ClientFrame.BodyOneofCase.Query && answer.BodyCase == ServerFrame.BodyOneofCase.Query
            && !IsRefusal(answer.Query.Error))
            Invariants.ReadAnswered(this, asked.Frame.Query, asked.FloorIndex, answer.Query);
    }

    private void Check(Asked asked, CommandAnswer answer)
    {
        Command command = asked.Frame.Command;
        if (!IsRefusal(answer.Result.Error))
            Invariants.CommandAnswered(this, command, answer);
        if (answer.Result.Error != ErrorCode.SessionNotFound)
            return;
        // The library counts on this, and writes again in its next session.
        if (!asked.IsRepeat)
            Invariants.CommandNeverExecuted(command);
        Invariants.SessionGone(command.SessionId);
    }

    private static bool IsRefusal(ErrorCode code) => code is ErrorCode.NotLeader or ErrorCode.NoQuorum
        or ErrorCode.OutcomeUnknown or ErrorCode.Overloaded or ErrorCode.Stopping or ErrorCode.Quarantined
        or ErrorCode.SessionNotFound or ErrorCode.ReplicaBehind;

    private void Answered(Session session, SessionLifetime lifetime)
    {
        _held.TryAdd(session, []);
        ClientMachine? machine = _machine;
        if (!_sentAtUs.TryGetValue(lifetime.Start.Monotonic, out long sentUs))
            throw new Engine.InvariantViolation("the client's deadline comes first", $"client {Number}: session {session.Id} lives from {lifetime.Start}, when nothing was sent");
        Invariants.SessionAnswered(
            new SessionBelief(session.Id, (long)session.Ttl.TotalMicroseconds, this, () => machine == _machine && !_isAsleep && session.IsAlive), sentUs);
    }

    private void Lost(Session session, string reason)
    {
        world.Happenings.Count(Engine.Happening.ClientReachedDeadline);
        world.Trace.Add($"client {Number}: session {session.Id} is lost: {reason}");
        if (!_held.Remove(session, out List<Holding>? held))
            return;
        foreach (Holding holding in held)
            Invariants.StoppedBelieving(holding.Name, this);
    }

    /// <param name="IsRepeat">It has been sent before: an answer may be to the earlier sending.</param>
    private readonly record struct Asked(ClientFrame Frame, long FloorIndex, bool IsRepeat);

    private void ForgetBeliefs()
    {
        foreach (Holding holding in _held.Values.SelectMany(held => held))
            Invariants.StoppedBelieving(holding.Name, this);
        _held.Clear();
    }
}
