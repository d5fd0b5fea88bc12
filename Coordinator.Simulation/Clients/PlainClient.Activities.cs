using Coordinator.Contracts;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

internal sealed partial class PlainClient
{
    private long _lastValue;

    private string AnyName() => $"lock/{random.Below(world.Scenario.Names)}";

    private void Act(ClientSession session)
    {
        int dice = random.Below(100);
        if (dice < 25)
            Acquire(session);
        else if (dice < 40)
            ActOnHoldings(session);
        else if (dice < 49)
            Put(session);
        else if (dice < 53)
            PutOutsideSession();
        else if (dice < 56)
            AskInSession(session, new Command { DeleteConfig = new DeleteConfig { Key = AnyKey() } }, Count(Happening.Deleted));
        else if (dice < 73)
            ActOnConfig(session);
        else if (dice < 82)
            Read(new Query { GetConfig = new GetConfig { Key = AnyKey() } });
        else if (dice < 92)
            Read(new Query { GetLock = new GetLock { Name = AnyName() } });
        else if (dice < 97)
            Read(new Query { GetConfig = new GetConfig { Key = AnyKey() }, Serializable = true });
        else if (dice < 98)
            AbandonSession(session);
    }

    private void Acquire(ClientSession session)
    {
        string name = AnyName();
        if (session.Held.Exists(held => held.Name == name))
            return;
        int dice = random.Below(10);
        long waitUs = dice < 3 ? 0 : dice < 8 ? random.Skewed(10_000, 6_000_000) : -1;
        var acquire = new AcquireLock { Name = name, WaitUs = waitUs, Label = $"c{Number}", Concurrent = true };
        AskToAcquire(session, acquire, answer => Acquired(session, name, answer));
    }

    private void AskToAcquire(ClientSession session, AcquireLock acquire, Action<CommandAnswer?> acquired)
    {
        long waitUs = acquire.WaitUs;
        AskInSession(session, new Command { AcquireLock = acquire }, acquired);
        ClientRequest request = _open[^1];
        request.IsQuiet = waitUs != 0;
        // At the wait's end in real time it ends in the log as well (rule 16); an unbounded one when the caller gives up.
        if (waitUs != 0)
        {
            long patienceUs = waitUs > 0 ? waitUs : random.Between(100, 5_000) * 1_000;
            world.Events.After(Clock.RealDuration(patienceUs), () => GiveUp(session, request));
        }
    }

    private void GiveUp(ClientSession session, ClientRequest acquire)
    {
        if (acquire.IsDone || session.IsOver)
            return;
        acquire.IsGivenBack |= random.Chance(0.3);
        var cancel = new CancelWait { RequestId = acquire.Command!.RequestId, ReleaseIfGranted = acquire.IsGivenBack };
        bool wasGranted = acquire.WasGranted;
        AskInSession(session, new Command { CancelWait = cancel }, answer => Cancelled(session, acquire, wasGranted, answer));
    }

    /// <summary>Cancelled, or granted first: only then does the caller hear of it (rule 16).</summary>
    /// <param name="wasGranted">Before the cancel was sent.</param>
    private void Cancelled(ClientSession session, ClientRequest acquire, bool wasGranted, CommandAnswer? answer)
    {
        if (answer is null || acquire.IsDone)
            return;
        if (answer.Result.Outcome is Outcome.Cancelled or Outcome.Granted)
        {
            world.Happenings.Count(answer.Result.Token == 0 ? Happening.CancelBeforeGrant : Happening.CancelAfterGrant);
            Finish(acquire, answer);
            return;
        }
        // What was granted has ended by itself, by its maximum or by force.
        if (wasGranted)
        {
            Finish(acquire, (CommandAnswer?)null);
            return;
        }
        // Neither a wait nor a holding: it may not have reached the log, and then it may still come. Its own answer,
        // under the same id, says how it ended.
        acquire.IsQuiet = false;
        TryAgain(acquire, certainlyNotDone: true);
        world.Events.After(random.Between(200, 2_000) * 1_000, () => GiveUp(session, acquire));
    }

    private void Acquired(ClientSession session, string name, CommandAnswer? answer)
    {
        if (answer is not { Result.Outcome: Outcome.Granted })
            return;
        if (!session.IsAlive(Clock))
            return;
        var held = new HeldLock(name, answer.Result.Token);
        session.Held.Add(held);
        world.Trace.Add($"client {Number}: holds {name} with token {held.Token}");
        Invariants.Believes(name, this, held.Token);
        long holdUs = random.Chance(0.1) ? random.Between(1, 20) * 1_000_000 : random.Skewed(1_000, 2_000_000);
        world.Events.After(holdUs, () => Release(session, held));
    }

    private void Release(ClientSession session, HeldLock held)
    {
        if (!session.Held.Remove(held))
            return;
        Invariants.StoppedBelieving(held.Name, this);
        long token = random.Chance(0.8) ? held.Token : 0;
        AskInSession(
            session, new Command { ReleaseLock = new ReleaseLock { Name = held.Name, Token = token } },
            Count(Happening.LockReleased));
    }

    private void Put(ClientSession session) => AskInSession(session, MakePut(), Count(Happening.Written));

    private void PutOutsideSession() => Ask(new ClientRequest(MakePut())
    {
        FirstSent = Now,
        IsRepeatable = false,
        Commanded = Count(Happening.Written),
    });

    private Command MakePut() => new() { PutConfig = MakePut(AnyKey()) };

    private void Read(Query query)
    {
        query.SeenIndex = _seenIndex;
        ReadAsItIs(query);
    }

    private void ReadAsItIs(Query query) => Ask(new ClientRequest(query)
    {
        FirstSent = Now,
        FloorIndex = query.Serializable ? 0 : Invariants.KnownIndex,
        Queried = answer =>
        {
            world.Happenings.Count(query.Serializable ? Happening.ReadSerializable : Happening.ReadLinearizable);
            Note(query, answer);
        },
    });

    private void AbandonSession(ClientSession session)
    {
        if (random.Chance(0.5))
            Close(session);
        else
            Vanish();
    }

    private Action<CommandAnswer?> Count(Happening happening) => answer =>
    {
        if (answer is { Result.Error: ErrorCode.Ok })
            world.Happenings.Count(happening);
    };
}
