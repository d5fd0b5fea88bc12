using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Simulation.Engine;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>What the program does with the library.</summary>
internal sealed partial class LibraryClient
{
    private int _running;
    private long _lastValue;

    private string AnyName() => $"lock/{random.Below(world.Scenario.Names)}";

    private string AnyKey() => $"{KeyFamilies.Plain}{random.Below(world.Scenario.Names)}";

    private void ScheduleActivity() => world.Events.After(random.Between(1, 2 * world.Scenario.ClientPauseUs), () =>
    {
        if (!_isResting && !_isDraining && !_isAsleep && _running < 8)
            Act();
        ScheduleActivity();
    });

    private void Act()
    {
        int dice = random.Below(100);
        if (dice < 30)
            Acquire(AnyName());
        else if (dice < 45)
            AcquireOther();
        else if (dice < 62)
            Submit(new WriteOperation(MakePut()), Written);
        else if (dice < 67)
            Submit(new WriteOperation(new Command { DeleteConfig = new DeleteConfig { Key = AnyKey() } }), _ => { });
        else if (dice < 80)
            Submit(new QueryOperation(new Query { GetConfig = new GetConfig { Key = AnyKey() } }), ReadDone);
        else if (dice < 90)
            Submit(new QueryOperation(new Query { GetLock = new GetLock { Name = AnyName() } }), ReadDone);
        else if (dice < 99)
            Submit(new QueryOperation(new Query { GetConfig = new GetConfig { Key = AnyKey() }, Serializable = true }), _ => { });
        else
            Vanish();
    }

    private void Acquire(string name)
    {
        int dice = random.Below(10);
        TimeSpan wait = dice < 3 ? TimeSpan.Zero
            : dice < 8 ? TimeSpan.FromMicroseconds(random.Skewed(10_000, 6_000_000))
            : Timeout.InfiniteTimeSpan;
        var acquire = new AcquireOperation(name, wait);
        ClientMachine machine = _machine!;
        Submit(acquire, completion =>
        {
            if (completion is Completion.Acquired acquired)
                Hold(machine, acquired.Holding);
        });
        // The caller may stop waiting at any time; one who would wait for ever does so some time.
        if (!acquire.IsBounded || random.Chance(0.1))
            world.Events.After(random.Between(50, 5_000) * 1_000, () => WhenAwake(() => OfLink(machine, m => m.Cancel(acquire, Now))));
    }

    private void Hold(ClientMachine machine, Holding holding)
    {
        if (!_held.TryGetValue(holding.Session, out List<Holding>? held))
            throw new InvariantViolation("mutual exclusion for clients", $"client {Number} is granted {holding.Name} in session {holding.Session.Id}, which it has lost");
        held.Add(holding);
        world.Trace.Add($"client {Number}: holds {holding.Name} with token {holding.Token}");
        Invariants.Believes(holding.Name, this, holding.Token);
        long holdUs = random.Chance(0.1) ? random.Between(1, 20) * 1_000_000 : random.Skewed(1_000, 2_000_000);
        world.Events.After(holdUs, () => WhenAwake(() =>
        {
            // Whoever gives back has stopped believing.
            if (_held.TryGetValue(holding.Session, out List<Holding>? still) && still.Remove(holding))
                Invariants.StoppedBelieving(holding.Name, this);
            if (machine == _machine && !_isDraining)
                Submit(new ReleaseOperation(holding), _ => { });
        }));
    }

    private void Submit(Operation operation, Action<Completion> done)
    {
        _running++;
        Action<Completion> caller = completion =>
        {
            _running--;
            done(completion);
        };
        Run(machine => machine.Submit(operation, caller, Now));
    }

    private void Written(Completion completion)
    {
        if (completion is Completion.Answered { Answer.Result.Error: ErrorCode.Ok })
            world.Happenings.Count(Happening.Written);
        else if (completion is Completion.OutcomeUnknown)
            world.Happenings.Count(Happening.OutcomeUnknown);
    }

    private void ReadDone(Completion completion) =>
        world.Happenings.Count(completion is Completion.Read ? Happening.ReadLinearizable : Happening.ReadRefused);

    private Command MakePut()
    {
        ByteString value = ByteString.CopyFromUtf8($"{Number}.{++_lastValue}.{new string('x', (int)random.Skewed(0, 300))}");
        return new Command { PutConfig = new PutConfig { Key = AnyKey(), Value = value, ContentType = "text/plain" } };
    }
}
