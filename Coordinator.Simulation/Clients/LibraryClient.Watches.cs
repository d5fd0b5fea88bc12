using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>What the program watches: some configuration and an election, now and then others.</summary>
internal sealed partial class LibraryClient
{
    private readonly Prng _watching = random.Fork();
    private readonly List<LibraryWatch> _watches = [];
    private bool _isResting;

    public IReadOnlyList<LibraryWatch> Watches => _watches;

    /// <summary>What it has, as it knows it: in the sessions that it believes in.</summary>
    public IEnumerable<Holding> Holdings => _held.Keys.Where(session => session.IsAlive).SelectMany(session => session.Holdings);

    public override void Rest()
    {
        _isResting = true;
        foreach (LibraryWatch watch in _watches)
            watch.IsQuick = true;
    }

    private void StartWatches()
    {
        _watches.Clear();
        Begin(MakeConfigWatch(0));
        if (_watching.Chance(0.5))
            Begin(MakeConfigWatch(0));
        Begin(MakeElectionWatch());
    }

    private ConfigWatch MakeConfigWatch(long fromRevision)
    {
        WatchConfig config = _watching.Below(5) switch
        {
            0 => new WatchConfig { IsPrefix = true },
            1 => new WatchConfig { Key = KeyFamilies.Plain, IsPrefix = true },
            2 => new WatchConfig { Key = KeyFamilies.Shared, IsPrefix = true },
            3 => new WatchConfig { Key = KeyFamilies.Transacted, IsPrefix = true },
            _ => new WatchConfig { Key = AnyWatchedKey() },
        };
        config.WithPrevious = _watching.Chance(0.5);
        config.FromRevision = fromRevision;
        return new ConfigWatch(this, config, _watching.Chance(0.5), Invariants.KnownRevision, _watching.Fork());
    }

    private string AnyWatchedKey() => $"{KeyFamilies.Plain}{_watching.Below(world.Scenario.Names)}";

    private ElectionWatch MakeElectionWatch() => new(
        this, $"el/{_watching.Below(1 + (world.Scenario.Names / 2))}", Invariants.KnownIndex, _watching.Fork());

    private void Begin(LibraryWatch watch)
    {
        watch.IsQuick = _isResting;
        _watches.Add(watch);
        Run(machine => machine.Submit(watch.Stream, watch, Now));
    }

    private void Arrived(LibraryWatch watch, StreamItem item)
    {
        if (world.Bug.DropsSlowConsumersItems && watch.IsFull)
            return;
        if (watch.Arrived(item))
            TakeLater(watch);
        if (watch.Stream.IsPaused)
            world.Happenings.Count(Happening.StreamPutOff);
    }

    private void TakeLater(LibraryWatch watch)
    {
        ClientMachine machine = _machine!;
        world.Events.After(watch.PauseUs, () => WhenAwake(() =>
        {
            if (machine == _machine && !_isDraining)
                Take(watch);
        }));
    }

    private void Take(LibraryWatch watch)
    {
        StreamItem item = watch.First;
        if (!watch.IsOver)
            Tell(watch, item);
        if (watch.Taken())
            TakeLater(watch);
        if (!world.Bug.ForgetsSlowConsumers)
            Run(machine => machine.Taken(watch.Stream, 1, item.Bytes, Now));
    }

    private void Tell(LibraryWatch watch, StreamItem item)
    {
        if (watch is ConfigWatch config)
            Invariants.ConfigTold(config, (StreamItem.Revision)item);
        else
            Invariants.LeaderTold((ElectionWatch)watch, ((StreamItem.Election)item).State);
        if (!_isResting && _watching.Chance(0.02))
            BeginAnother(watch);
    }

    /// <summary>The program has seen enough; later it goes on where it was, or begins with what is now.</summary>
    private void BeginAnother(LibraryWatch watch)
    {
        Run(machine => machine.Cancel(watch.Stream, Now));
        if (watch is ConfigWatch config)
            Begin(MakeConfigWatch(_watching.Chance(0.5) ? config.NextRevision : 0));
        else
            Begin(MakeElectionWatch());
    }

    private void Ended(LibraryWatch watch, Completion completion)
    {
        watch.IsOver = true;
        _watches.Remove(watch);
        if (completion is not Completion.StreamEnded ended)
            return;
        Invariants.StreamEnded(watch, ended);
        world.Happenings.Count(Happening.StreamCompacted);
        Begin(MakeConfigWatch(_watching.Chance(0.5) ? 0 : ended.CompactedRevision + 1));
    }

    /// <summary>From the wire: where a watch from now begins, unless the library has left that connection.</summary>
    private void NoteBeginning(ClientFrame asked, WatchPage page)
    {
        world.Trace.Add($"client {Number}: page of watch {asked.CorrelationId} at {page.Position?.Index}: {page.Events.Count} changes up to {page.NextRevision}, {page.Election} {page.Session} {page.Error}");
        if (asked.Watch.Config is not { FromRevision: 0 } || page.Error != ErrorCode.Ok)
            return;
        ConfigWatch? begun = _watches.OfType<ConfigWatch>().FirstOrDefault(
            watch => watch.Stream.Frame == asked && watch.Stream.IsOnWire && watch.NextRevision == 0);
        if (begun is not null)
            Invariants.WatchBegan(begun, page.NextRevision);
    }

    private void LoseHolding(Holding holding)
    {
        world.Happenings.Count(Happening.LossHeard);
        Invariants.HoldingLost(this, holding);
        if (_held.TryGetValue(holding.Session, out List<Holding>? held) && held.Remove(holding))
            Invariants.StoppedBelieving(holding.Name, this);
    }

    private void HearRequest(Holding holding)
    {
        world.Happenings.Count(Happening.ReleaseRequestHeard);
        Invariants.ReleaseAsked(this, holding);
        if (_watching.Chance(0.3) && !_isResting)
            Submit(new ReleaseOperation(holding), _ => { });
    }
}
