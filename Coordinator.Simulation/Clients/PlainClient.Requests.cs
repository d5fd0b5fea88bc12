using Coordinator.Contracts;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

internal sealed partial class PlainClient
{
    private void Answered(ClientRequest request, int sending, CommandAnswer answer)
    {
        if (request.IsDone)
            return;
        ErrorCode code = answer.Result.Error;
        if (code != ErrorCode.Ok)
            world.Trace.Add($"client {Number}: {request} is refused: {code}");
        switch (code)
        {
            case var _ when IsRefusal(code) && sending != request.Sends:
                return;
            case ErrorCode.NotLeader or ErrorCode.Quarantined or ErrorCode.Stopping or ErrorCode.NoQuorum:
                GuessAgain();
                TryAgain(request, certainlyNotDone: true);
                return;
            case ErrorCode.OutcomeUnknown:
                world.Happenings.Count(Happening.OutcomeUnknown);
                TryAgain(request, certainlyNotDone: false);
                return;
            case ErrorCode.Overloaded:
                world.Happenings.Count(Happening.Overloaded);
                TryAgain(request, certainlyNotDone: true);
                return;
            case ErrorCode.SessionNotFound when request.Session is { } session:
                Invariants.SessionGone(session.Id);
                Lose(session);
                return;
        }
        if (request.IsGivenBack && answer.Result.Outcome == Outcome.Granted)
        {
            request.WasGranted = true;
            return;
        }
        if (request.Sends > 1)
            world.Happenings.Count(Happening.RepeatAnswered);
        Invariants.CommandAnswered(this, request.Command!, answer);
        Finish(request, answer);
    }

    private void Answered(ClientRequest request, QueryAnswer answer)
    {
        if (request.IsDone)
            return;
        if (answer.Error is ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.Stopping or ErrorCode.Quarantined
            or ErrorCode.ReplicaBehind)
        {
            world.Happenings.Count(Happening.ReadRefused);
            GuessAgain();
            TryAgain(request, certainlyNotDone: true);
            return;
        }
        Invariants.ReadAnswered(this, request.Query!, request.FloorIndex, answer);
        _seenIndex = Math.Max(_seenIndex, answer.Position.Index);
        request.IsDone = true;
        _open.Remove(request);
        request.Queried?.Invoke(answer);
    }

    private static bool IsRefusal(ErrorCode code) => code is ErrorCode.NotLeader or ErrorCode.Quarantined
        or ErrorCode.Stopping or ErrorCode.NoQuorum or ErrorCode.OutcomeUnknown or ErrorCode.Overloaded;

    private void AskInSession(ClientSession session, Command command, Action<CommandAnswer?> done)
    {
        command.SessionId = session.Id;
        command.RequestId = session.NextRequestId();
        command.AnsweredBelow = session.AnsweredBelow;
        Ask(new ClientRequest(command) { Session = session, FirstSent = Now, Commanded = done });
    }

    private void Ask(ClientRequest request)
    {
        _open.Add(request);
        Send(request);
    }

    private void Send(ClientRequest request)
    {
        request.Sends++;
        world.Trace.Add($"client {Number}: asks peer {_leader + 1} for {request}, sending {request.Sends}");
        if (request.Sends > 1)
            world.Happenings.Count(Happening.RequestRepeated);
        if (request.Query is { } query)
            Invariants.QuerySent(this, query);
        else
            Invariants.CommandSent(this, request.Command!);
        int sends = request.Sends;
        ReachLeader(process => Submit(process, request, sends), request.IsRepeatable, request.Query is not null);
        long patienceUs = request.IsQuiet ? random.Between(2_000, 8_000) * 1_000 : random.Between(300, 2_500) * 1_000;
        world.Events.After(patienceUs, () =>
        {
            if (request.IsDone || request.Sends != sends)
                return;
            GuessAgain();
            TryAgain(request, certainlyNotDone: false);
        });
    }

    private void Submit(PeerProcess process, ClientRequest request, int sending)
    {
        if (request.Query is { } query)
        {
            process.Submit(new ClientQueryTicket(query, (from, answer) => SendBack(from, () => Answered(request, answer))));
            return;
        }
        var ticket = new ClientCommandTicket(
            request.Command!, request.Payload, (from, answer) => SendBack(from, () => Answered(request, sending, answer)));
        process.Submit(ticket);
        world.Events.After(random.Between(500, 6_000) * 1_000, () =>
        {
            // The connection of whoever asked is gone.
            if (request.IsDone)
                process.Forget(ticket);
        });
    }

    private void SendBack(PeerProcess from, Action deliver) =>
        world.Network.Send(from.Owner.Place, world.PlaceOfClient(Number), deliver);

    private void TryAgain(ClientRequest request, bool certainlyNotDone)
    {
        if (!request.IsRepeatable && !certainlyNotDone && !world.Bug.RepeatsOutsideSession)
        {
            Finish(request, (CommandAnswer?)null);
            return;
        }
        int sends = request.Sends;
        world.Events.After(random.Between(5_000, 120_000), () =>
        {
            if (!request.IsDone && request.Sends == sends)
                Send(request);
        });
    }

    private void Finish(ClientRequest request, CommandAnswer? answer)
    {
        if (request.IsDone)
            return;
        request.IsDone = true;
        _open.Remove(request);
        request.Session?.Close(request.Command!.RequestId);
        request.Commanded?.Invoke(answer);
    }

    private void GuessAgain() => _leader = random.Below(world.Peers.Count);

    private void ReachLeader(Action<PeerProcess> arrive, bool mayRepeat = true, bool forRead = false)
    {
        // Any peer answers reads.
        SimulatedPeer peer = world.Peers[forRead && random.Chance(0.3) ? random.Below(world.Peers.Count) : _leader];
        world.Network.Send(world.PlaceOfClient(Number), peer.Place, () =>
        {
            if (peer.Reached(forRead) is { } process)
                arrive(process);
        }, mayRepeat);
    }
}
