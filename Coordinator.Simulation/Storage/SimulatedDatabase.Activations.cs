using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Storage;

internal sealed partial class SimulatedDatabase
{
    /// <summary>Takes the peer over from whoever has it (rule 2).</summary>
    public void Activate(PeerKey key, Action<ActivationAnswer> answer) => Send(
        answer, new ActivationAnswer.Unavailable(), reply => WhenUnlocked(key, () => TakeOver(key, reply), reply));

    /// <summary>Takes the peer back after a write that did not commit for certain (rule 4).</summary>
    /// <param name="mark">This try; <paramref name="earlier"/>: those whose answer never came.</param>
    public void Reactivate(
        PeerKey key, long epoch, long acknowledgedWriteSeq, long mark, IReadOnlyList<long> earlier,
        Action<ActivationAnswer> answer) => Send(
            answer, new ActivationAnswer.Unavailable(),
            reply =>
            {
                void Execute() => TakeBack(key, epoch, acknowledgedWriteSeq, mark, earlier, reply);
                // An UPDATE waits only for a row whose last committed version matches.
                if (Find(key) is { } row && !(IsMine(row, epoch, earlier) && row.WriteSeq >= acknowledgedWriteSeq))
                    Execute();
                else
                    WhenUnlocked(key, Execute, reply);
            });

    /// <summary>The row's epoch as last committed (rule 6).</summary>
    public void ReadEpoch(PeerKey key, Action<(bool IsAvailable, long? Epoch)> answer) => Send(
        answer, (false, null), reply => reply((true, Find(key)?.Epoch)),
        Happening.EpochReadFailed);

    /// <summary>Unfenced (rule 8): the peer's row is not even looked at.</summary>
    public void WriteChunks(PeerKey key, long epoch, long id, ReadOnlyMemory<byte> data, Action<bool> answer) => Send(
        answer, false,
        reply =>
        {
            if (Find(key) is { } row)
                row.Chunks[(epoch, id)] = data;
            reply(true);
        },
        Happening.ChunkWriteFailed);

    /// <summary>Removes what no fenced write can point at any more.</summary>
    public void DeleteChunksExcept(PeerKey key, SnapshotPointer keep)
    {
        if (!IsUp || Find(key) is not { } row)
            return;
        (long Epoch, long Id) pointed = (row.Pointer.Epoch, row.Pointer.Id);
        foreach ((long Epoch, long Id) chunk in row.Chunks.Keys.ToList())
        {
            bool isGarbage = chunk.Epoch < row.Epoch || chunk.CompareTo(pointed) < 0;
            if (isGarbage && chunk != pointed && chunk != (keep.Epoch, keep.Id))
                row.Chunks.Remove(chunk);
        }
    }

    /// <summary>One request of its own, executed once at most, whose answer may be lost.</summary>
    private void Send<T>(Action<T> answer, T unavailable, Action<Action<T>> execute, Happening lost = Happening.ActivationAnswerLost)
    {
        long generation = _generation;
        bool isLost = random.Chance(Faults.AnswerLostChance);
        bool isExecuted = IsUp && (!isLost || random.Chance(Faults.LostExecutedChance));
        if (isLost || !IsUp)
        {
            if (isLost)
                happenings.Count(lost);
            Later(Delay(), () => answer(unavailable));
        }
        if (!isExecuted)
            return;
        Later(Delay(), () =>
        {
            if (generation != _generation || !IsUp)
            {
                if (!isLost)
                    Later(Delay(), () => answer(unavailable));
                return;
            }
            execute(reply =>
            {
                if (!isLost)
                    Later(Delay(), () => answer(reply));
            });
        });
    }

    /// <summary>An UPDATE that matches waits for the row's lock, and then checks the newest version again.</summary>
    private void WhenUnlocked(PeerKey key, Action execute, Action<ActivationAnswer> reply)
    {
        long generation = _generation;
        if (Find(key) is { } row && row.LockedUntilUs >= events.NowUs)
        {
            events.At(row.LockedUntilUs + 1, () =>
            {
                if (generation == _generation)
                    WhenUnlocked(key, execute, reply);
                else
                    reply(new ActivationAnswer.Unavailable());
            });
            return;
        }
        execute();
    }

    private void TakeOver(PeerKey key, Action<ActivationAnswer> reply)
    {
        if (Find(key) is not { } row)
        {
            if (!_bootstrapRows.TryGetValue(key.Peer.Value, out SimulatedRow? first))
            {
                reply(new ActivationAnswer.Missing());
                return;
            }
            _rows.Add(key.Peer.Value, row = first.Copy());
        }
        Take(row, NewMark(), reply);
    }

    private void TakeBack(
        PeerKey key, long epoch, long acknowledgedWriteSeq, long mark, IReadOnlyList<long> earlier,
        Action<ActivationAnswer> reply)
    {
        if (Find(key) is not { } row)
        {
            reply(new ActivationAnswer.Missing());
            return;
        }
        bool isMine = IsMine(row, epoch, earlier);
        bool wentBack = row.Epoch < epoch || row.WriteSeq < acknowledgedWriteSeq;
        if (wentBack && !Plants.ReactivationIgnoresRollback)
            reply(new ActivationAnswer.WentBack($"{row.Epoch}.{row.WriteSeq} is stored, {epoch}.{acknowledgedWriteSeq} was acknowledged"));
        else if (Plants.ReactivationOnlyLooks && isMine)
            Load(key, row.Epoch, reply);
        else if (isMine || wentBack)
            Take(row, mark, reply);
        else
            reply(new ActivationAnswer.Superseded(row.Epoch));
    }

    private static bool IsMine(SimulatedRow row, long epoch, IReadOnlyList<long> earlier) =>
        row.Epoch == epoch || (row.Epoch > epoch && earlier.Contains(row.ActivationMark));

    private void Take(SimulatedRow row, long mark, Action<ActivationAnswer> reply)
    {
        row.Epoch++;
        row.ActivationMark = mark;
        Moment = Moment with { Lsn = Moment.Lsn + 1 };
        Activating?.Invoke(row.Key, row.Epoch);
        trace.Add($"db {Name}: peer {row.Key} activated as {row.Epoch}");
        long epoch = row.Epoch;
        long generation = _generation;
        Later(Delay(), () =>
        {
            if (generation != _generation || !IsUp)
                reply(new ActivationAnswer.Unavailable());
            else
                Load(row.Key, epoch, reply);
        });
    }

    /// <summary>Only after the activation has committed, in one consistent read (rule 2).</summary>
    private void Load(PeerKey key, long epoch, Action<ActivationAnswer> reply)
    {
        if (Find(key) is not { } row)
            reply(new ActivationAnswer.Missing());
        else if (row.Epoch > epoch)
            reply(new ActivationAnswer.Superseded(row.Epoch));
        else if (row.Epoch < epoch)
            reply(new ActivationAnswer.WentBack($"epoch {row.Epoch} is stored, {epoch} was committed"));
        else
            reply(new ActivationAnswer.Activated(Loaded(row)));
    }

    private LoadedPeer Loaded(SimulatedRow row)
    {
        LoadedPeer loaded = row.Load() with { Moment = Moment };
        return Plants.ForgetsVote
            ? loaded with { HardState = loaded.HardState with { Vote = Raft.PeerId.None } }
            : loaded;
    }
}
