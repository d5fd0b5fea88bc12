using System.Text;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>The simulator's database, on virtual time.</summary>
internal sealed partial class ModelStorage : IScriptedStorage
{
    // A healthy database's delays add up to less; a steered commit takes longer, the next step comes after both.
    private const long BegunUs = 400;
    private const long CommitUs = 10_000;
    private const long SettledUs = 50_000;
    private const long LateUs = 1_000_000_000;
    private const long LockedForEverUs = long.MaxValue / 4;

    private static readonly StorageFaults SlowCommit = new() { CommitMinUs = CommitUs, CommitMaxUs = CommitUs };

    private readonly EventQueue _events = new();
    private readonly SimulatedDatabase _database;
    private readonly IReadOnlyList<PeerKey> _peers;
    private readonly Dictionary<(int Client, PeerKey Key), (long Epoch, List<long> Marks)> _inDoubt = [];
    private long _lateAtUs;

    public ModelStorage(ulong seed, StoragePlants plants, IReadOnlyList<PeerKey> peers, ReadOnlyMemory<byte> blank)
    {
        _peers = peers;
        _database = new SimulatedDatabase(
            "model", _events, new Prng(seed), new Trace(_events, null, false), new Happenings())
        {
            Plants = plants,
        };
        foreach (PeerKey key in peers)
        {
            var row = new SimulatedRow
            {
                Key = key,
                StorageId = Guid.Empty,
                Pointer = new SnapshotPointer(0, 1, 0, default, 1, blank.Length),
            };
            row.Chunks.Add((0, 1), blank);
            _database.Bootstrap(row);
        }
    }

    public Task<StepResult> RunAsync(ScriptStep step)
    {
        StepResult result = Run(step);
        _database.Faults = StorageFaults.None;
        _events.RunUntil(_events.NowUs + SettledUs);
        return Task.FromResult(result);
    }

    public Task<IReadOnlyList<string>> ReadAllAsync()
    {
        var lines = new List<string>();
        foreach (SimulatedRow row in _peers.Select(_database.Find).OfType<SimulatedRow>())
        {
            lines.Add($"{StorageWords.Row(row.Key, row.Epoch, row.WriteSeq, row.HardState, row.Pointer)}, last {row.LastIndex}");
            lines.AddRange(row.Log.Select(entry => StorageWords.Stored(row.Key, entry)));
            lines.AddRange(row.Chunks.Select(c => StorageWords.Chunk(row.Key, c.Key.Epoch, c.Key.Id, c.Value)));
        }
        lines.Sort(StringComparer.Ordinal);
        return Task.FromResult<IReadOnlyList<string>>(lines);
    }

    private StepResult Run(ScriptStep step)
    {
        switch (step)
        {
            case ScriptStep.LocksRow locks:
                _database.LockRow(locks.Key, LockedForEverUs);
                return StepResult.Done;
            case ScriptStep.UnlocksRow unlocks:
                LockUntil(unlocks.Key, 0);
                return StepResult.Done;
            case ScriptStep.RemovesRow removes:
                _database.Remove(removes.Key);
                return StepResult.Done;
            case ScriptStep.TakesBackup:
                _database.TakeBackup();
                return StepResult.Done;
            case ScriptStep.RestoresBackup:
                _database.Restore();
                return StepResult.Done;
            case ScriptStep.GoesDown:
                _database.GoDown();
                return StepResult.Done;
            case ScriptStep.ComesUp:
                _database.ComeUp();
                return StepResult.Done;
            case ScriptStep.DeletesGarbage deletes:
                _database.DeleteChunksExcept(deletes.Key, deletes.Keep);
                return StepResult.Done;
            default:
                return Ask(step);
        }
    }

    private StepResult Ask(ScriptStep step)
    {
        switch (step)
        {
            case ScriptStep.ReadsEpoch reads:
                return ReadEpoch(reads.Key);
            case ScriptStep.ReadsEpochUnanswered reads:
                _database.Faults = Lost(isExecuted: true);
                return ReadEpoch(reads.Key);
            case ScriptStep.WritesChunk writes:
                if (writes.UnansweredIsExecuted is { } isExecuted)
                    _database.Faults = Lost(isExecuted);
                return new StepResult(Answer<bool>(answer => _database.WriteChunks(
                    writes.Key, writes.Epoch, writes.Id, Encoding.UTF8.GetBytes(writes.Data), answer)) ? "durable" : "not known to be durable");
            case ScriptStep.Takes takes:
                return Settle(Begin(takes.Taking));
            case ScriptStep.TakesUnanswered takes:
                _database.Faults = Lost(takes.IsExecuted);
                return Settle(Begin(takes.Taking));
            case ScriptStep.TakesLocked takes:
                LockUntil(takes.Taking.Key, _events.NowUs + CommitUs);
                return Settle(Begin(takes.Taking));
            default:
                return Write(step);
        }
    }

    private void LockUntil(PeerKey key, long timeUs)
    {
        if (_database.Find(key) is { } row)
            row.LockedUntilUs = timeUs;
    }

    private StepResult ReadEpoch(PeerKey key)
    {
        (bool isAvailable, long? epoch) = Answer<(bool, long?)>(answer => _database.ReadEpoch(key, answer));
        return new StepResult(isAvailable ? $"epoch {epoch}" : "unavailable");
    }

    private Pending<ActivationAnswer> Begin(Taking taking) => Begin<ActivationAnswer>(answer =>
    {
        if (taking.From is not { } from)
        {
            _database.Activate(taking.Key, answer);
            return;
        }
        (int, PeerKey) doubted = (taking.Client, taking.Key);
        if (!_inDoubt.TryGetValue(doubted, out (long Epoch, List<long> Marks) doubt) || doubt.Epoch != from.Epoch)
            _inDoubt[doubted] = doubt = (from.Epoch, []);
        long mark = _database.NewMark();
        long[] earlier = [.. doubt.Marks];
        doubt.Marks.Add(mark);
        _database.Reactivate(taking.Key, from.Epoch, from.WriteSeq, mark, earlier, result =>
        {
            if (result is not ActivationAnswer.Unavailable)
                _inDoubt.Remove(doubted);
            answer(result);
        });
    });

    private StepResult Settle(Pending<ActivationAnswer> pending) => Settle<ActivationAnswer>(pending) switch
    {
        ActivationAnswer.Activated { Peer: var peer } => new StepResult(StorageWords.Of(peer)) { Loaded = peer },
        ActivationAnswer.Missing => new StepResult("missing"),
        ActivationAnswer.Superseded { Epoch: var epoch } => new StepResult($"superseded by {epoch}"),
        ActivationAnswer.WentBack => new StepResult("went back"),
        _ => new StepResult("unavailable"),
    };

    private static StorageFaults Lost(bool isExecuted) =>
        new() { AnswerLostChance = 1, LostExecutedChance = isExecuted ? 1 : 0 };

    private T Answer<T>(Action<Action<T>> ask) => Settle(Begin(ask));

    private static Pending<T> Begin<T>(Action<Action<T>> ask)
    {
        var pending = new Pending<T>();
        ask(pending.Answer);
        return pending;
    }

    private T Settle<T>(Pending<T> pending)
    {
        _events.RunUntil(_events.NowUs + SettledUs, () => pending.IsAnswered);
        return pending.IsAnswered ? pending.Value! : throw new InvalidOperationException("The model does not answer.");
    }

    private sealed class Pending<T>
    {
        public bool IsAnswered { get; private set; }

        public T? Value { get; private set; }

        /// <summary>The first counts: a planted bug answers twice.</summary>
        public void Answer(T value)
        {
            if (IsAnswered)
                return;
            IsAnswered = true;
            Value = value;
        }
    }
}
