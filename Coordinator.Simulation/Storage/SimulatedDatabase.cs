using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Storage;

/// <summary>
/// One PostgreSQL as the peers see it. Each operation is sent, executes at one moment (a write holds its row's lock until
/// it commits), and is answered; each of the three can fail by itself, and a write whose outcome was reported as unknown
/// may still land. Invariant: what was committed stays, unless the database is restored from a backup or emptied.
/// </summary>
internal sealed partial class SimulatedDatabase(
    string name, EventQueue events, Prng random, Trace trace, Happenings happenings)
{
    private readonly SortedDictionary<long, SimulatedRow> _rows = [];
    private readonly SortedDictionary<long, SimulatedRow> _bootstrapRows = [];
    private SortedDictionary<long, SimulatedRow>? _backup;
    private DatabaseMoment _backupMoment;
    private long _lastMark;
    private readonly List<(long DelayUs, Action Action)> _held = [];
    private long _stalledUntilUs;

    /// <summary>Ends with each outage: what was on its way then never executes.</summary>
    private long _generation;

    public string Name { get; } = name;

    public DatabaseMoment Moment { get; private set; } = new(1, 1, 1);

    public bool IsUp { get; private set; } = true;

    public StorageFaults Faults { get; set; } = StorageFaults.None;

    public StoragePlants Plants { get; init; } = StoragePlants.None;

    /// <summary>Told of each write as it commits, with the row before the write.</summary>
    public Action<SimulatedRow, PeerWrite>? Landing { get; set; }

    /// <summary>Told of each write of the present activation that is refused for what it holds, with the row.</summary>
    public Action<SimulatedRow, PeerWrite>? Refusing { get; set; }

    /// <summary>Told of each activation as it commits.</summary>
    public Action<PeerKey, long>? Activating { get; set; }

    /// <summary>Only bootstrap, and the making of a peer that is to join, insert rows (rule 1).</summary>
    public void Bootstrap(SimulatedRow row)
    {
        _rows.Add(row.Key.Peer.Value, row);
        if (Plants.ActivationInserts)
            _bootstrapRows.Add(row.Key.Peer.Value, row.Copy());
    }

    /// <summary>All rows of a peer that has left its group, or by hand.</summary>
    public void Remove(PeerKey key) => _rows.Remove(key.Peer.Value);

    public SimulatedRow? Find(PeerKey key) => _rows.GetValueOrDefault(key.Peer.Value);

    public long NewMark() => ++_lastMark;

    public void GoDown()
    {
        IsUp = false;
        _generation++;
        foreach (SimulatedRow row in _rows.Values)
            row.LockedUntilUs = 0;
    }

    public void ComeUp() => IsUp = true;

    /// <summary>What is sent to it or answered waits until then.</summary>
    public void Stall(long durationUs)
    {
        _stalledUntilUs = Math.Max(_stalledUntilUs, events.NowUs + durationUs);
        events.After(durationUs, Release);
    }

    public void Resume()
    {
        _stalledUntilUs = 0;
        Release();
    }

    public void TakeBackup() => (_backup, _backupMoment) = (Copy(_rows), Moment);

    public bool HasBackup => _backup is not null;

    /// <summary>As the last backup has it; null: it has no such row.</summary>
    public SimulatedRow? FindInBackup(PeerKey key) => _backup?.GetValueOrDefault(key.Peer.Value);

    /// <summary>As an operator who restores a backup: connections break, everything since is gone.</summary>
    /// <param name="newTimeline">False: the files were put back, and the server noticed nothing.</param>
    public void Restore(bool newTimeline = true)
    {
        _generation++;
        Replace(Copy(_backup!));
        Moment = _backupMoment with { Timeline = newTimeline ? Moment.Timeline + 1 : Moment.Timeline };
    }

    /// <summary>A standby that has everything takes over: connections break, nothing is lost.</summary>
    public void FailOver()
    {
        _generation++;
        foreach (SimulatedRow row in _rows.Values)
            row.LockedUntilUs = 0;
        Moment = Moment with { Timeline = Moment.Timeline + 1 };
    }

    public void Empty()
    {
        _generation++;
        Replace([]);
    }

    /// <summary>Somebody else locks a peer's row, with psql for instance.</summary>
    public void LockRow(PeerKey key, long durationUs)
    {
        if (Find(key) is { } row)
            row.LockedUntilUs = Math.Max(row.LockedUntilUs, events.NowUs + durationUs);
    }

    private void Replace(SortedDictionary<long, SimulatedRow> rows)
    {
        _rows.Clear();
        foreach ((long peer, SimulatedRow row) in rows)
            _rows.Add(peer, row);
    }

    private static SortedDictionary<long, SimulatedRow> Copy(SortedDictionary<long, SimulatedRow> rows)
    {
        var copy = new SortedDictionary<long, SimulatedRow>();
        foreach ((long peer, SimulatedRow row) in rows)
            copy.Add(peer, row.Copy());
        return copy;
    }

    private void Later(long delayUs, Action action)
    {
        if (events.NowUs < _stalledUntilUs)
            _held.Add((delayUs, action));
        else
            events.After(delayUs, action);
    }

    private void Release()
    {
        if (events.NowUs < _stalledUntilUs)
            return;
        foreach ((long delayUs, Action action) in _held)
            events.After(delayUs, action);
        _held.Clear();
    }

    private long Delay()
    {
        if (random.Chance(Faults.SlowChance))
        {
            happenings.Count(Happening.WriteSlow);
            return random.Skewed(1_000, Faults.SlowMaxUs);
        }
        return random.Between(60, 350);
    }
}
