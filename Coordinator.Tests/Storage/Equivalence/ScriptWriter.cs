using System.Text;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>
/// Draws the steps of a script from a seed, each from what its clients were told so far. Invariant: two storages that
/// answer alike get the same script.
/// </summary>
internal sealed class ScriptWriter(Prng random, IReadOnlyList<PeerKey> peers)
{
    private const int Clients = 2;

    private readonly WriteDraws _draws = new(random);
    private readonly Dictionary<(int Client, PeerKey Key), SimulatedRow> _views = [];
    private readonly Dictionary<(int Client, PeerKey Key), Taking> _unanswered = [];
    private PeerKey? _locked;
    private int? _late;
    private bool _hasBackup;
    private bool _isRestored;

    public bool IsDown { get; private set; }

    public ScriptStep Next()
    {
        while (true)
        {
            if (Draw(random.Below(100)) is { } step)
                return step;
        }
    }

    /// <summary>Everything back in order, and every peer loaded once more: what is stored is whole.</summary>
    public IEnumerable<ScriptStep> End()
    {
        if (IsDown)
            yield return new ScriptStep.ComesUp();
        if (_locked is { } locked)
            yield return new ScriptStep.UnlocksRow(locked);
        if (_late is not null)
            yield return new ScriptStep.LateLands();
        foreach (PeerKey key in peers)
            yield return new ScriptStep.Takes(new Taking(0, key, null));
    }

    /// <summary>Learns what the clients of the step learn from its result.</summary>
    public void Learn(ScriptStep step, StepResult result)
    {
        switch (step)
        {
            case ScriptStep.Takes { Taking: var taking }:
                Learn(taking, result);
                break;
            case ScriptStep.TakesUnanswered { Taking: var taking }:
                _unanswered[(taking.Client, taking.Key)] = taking;
                break;
            case ScriptStep.TakesLocked { Taking: var taking }:
                Learn(taking, result);
                break;
            case ScriptStep.Writes { Sending: var sending }:
                Learn(sending, result.Outcomes);
                break;
            case ScriptStep.WritesLate { Sending: var sending }:
                _late = sending.Client;
                break;
            case ScriptStep.LateLands:
                _late = null;
                break;
            case ScriptStep.WritesOvertaken { Sending: var sending, Taking: var taking }:
                Learn(sending, result.Outcomes);
                Learn(taking, result);
                break;
            case ScriptStep.WritesWhileTaken { Sending: var sending, Taking: var taking }:
                Learn(sending, result.Outcomes);
                Learn(taking, result);
                break;
            case ScriptStep.WritesWhileWritten { Sending: var sending, Other: var other }:
                Learn(sending, result.Outcomes);
                Learn(other, result.Outcomes.Skip(sending.Writes.Count));
                break;
            case ScriptStep.WritesInDoubt { Taking: var taking }:
                Learn(taking, result);
                break;
            case ScriptStep.WritesChunk { UnansweredIsExecuted: null } chunk when !IsDown:
                if (_views.TryGetValue((chunk.Client, chunk.Key), out SimulatedRow? view))
                    view.Chunks[(chunk.Epoch, chunk.Id)] = Encoding.UTF8.GetBytes(chunk.Data);
                break;
            case ScriptStep.LocksRow { Key: var key }:
                _locked = key;
                break;
            case ScriptStep.UnlocksRow:
                _locked = null;
                break;
            case ScriptStep.TakesBackup:
                _hasBackup = true;
                break;
            case ScriptStep.RestoresBackup:
                (_late, _isRestored) = (null, true);
                // Chunks that were written since are gone: nobody may point at them.
                foreach (SimulatedRow row in _views.Values)
                    row.Chunks.Clear();
                break;
            case ScriptStep.GoesDown:
                (IsDown, _late) = (true, null);
                break;
            case ScriptStep.ComesUp:
                IsDown = false;
                break;
        }
    }

    private ScriptStep? Draw(int x)
    {
        int client = random.Below(Clients);
        PeerKey key = random.Pick(peers);
        bool isSteerable = !IsDown && _locked != key && _late != client;
        return x switch
        {
            < 14 => _locked == key ? null : new ScriptStep.Takes(DrawTaking(client, key)),
            < 16 => isSteerable && _locked is null ? new ScriptStep.TakesLocked(DrawTaking(client, key)) : null,
            < 20 => isSteerable ? new ScriptStep.TakesUnanswered(DrawTaking(client, key), random.Chance(0.6)) : null,
            < 46 => Send(client, key) is { } sending ? new ScriptStep.Writes(sending) : null,
            < 69 => isSteerable ? DrawSteered(x, client, key) : null,
            < 73 => new ScriptStep.ReadsEpoch(client, key),
            < 83 => DrawChunk(client, key, isSteerable),
            < 86 => !IsDown && View(client, key) is { } view ? new ScriptStep.DeletesGarbage(client, key, view.Pointer) : null,
            < 90 => _late is null ? null : new ScriptStep.LateLands(),
            _ => DrawOperation(x, key),
        };
    }

    /// <summary>A request whose end the script decides.</summary>
    private ScriptStep? DrawSteered(int x, int client, PeerKey key)
    {
        if (x == 46)
            return new ScriptStep.ReadsEpochUnanswered(client, key);
        if (View(client, key) is not { } view)
            return null;
        return x switch
        {
            47 => new ScriptStep.WritesNonsense(new Sending(client, [_draws.Nonsense(view)])),
            < 53 => new ScriptStep.WritesUnanswered(Send(client, key)!, random.Chance(0.6)),
            < 56 => _late is null ? new ScriptStep.WritesLate(Send(client, key)!) : null,
            < 58 => new ScriptStep.WritesRefused(Send(client, key)!),
            < 61 => _late is null && _locked is null ? new ScriptStep.WritesKilled(One(client, key)!) : null,
            _ => DrawMeeting(client, key),
        };
    }

    /// <summary>What is done by hand, or happens to the whole server.</summary>
    private ScriptStep? DrawOperation(int x, PeerKey key)
    {
        if (IsDown)
            return new ScriptStep.ComesUp();
        if (_locked is { } locked)
            return x < 95 ? new ScriptStep.UnlocksRow(locked) : null;
        return x switch
        {
            < 94 => new ScriptStep.LocksRow(key),
            < 95 => random.Chance(0.5) ? new ScriptStep.RemovesRow(key, random.Chance(0.5)) : null,
            < 97 => new ScriptStep.TakesBackup(),
            < 99 => _hasBackup ? new ScriptStep.RestoresBackup() : null,
            _ => random.Chance(0.15) ? new ScriptStep.GoesDown(random.Chance(0.25)) : null,
        };
    }

    /// <summary>What one client's write meets when it is about to commit, or to lock its row.</summary>
    private ScriptStep? DrawMeeting(int client, PeerKey key)
    {
        if (One(client, key) is not { } sending)
            return null;
        int other = 1 - client;
        return random.Below(4) switch
        {
            // After a restore an epoch may be given out a second time, to the other client.
            0 => _isRestored ? null : new ScriptStep.WritesOvertaken(sending, DrawTaking(other, key)),
            1 => new ScriptStep.WritesWhileTaken(sending, DrawTaking(other, key)),
            2 => One(other, key) is { } met ? new ScriptStep.WritesWhileWritten(sending, met) : null,
            _ => new ScriptStep.WritesInDoubt(sending, TakeBack(client, key, View(client, key)!)),
        };
    }

    private Taking DrawTaking(int client, PeerKey key)
    {
        if (_unanswered.TryGetValue((client, key), out Taking? again) && random.Chance(0.8))
            return again;
        return View(client, key) is { } view && random.Chance(0.6)
            ? TakeBack(client, key, view)
            : new Taking(client, key, null);
    }

    private Taking TakeBack(int client, PeerKey key, SimulatedRow view) => new(client, key, new Acknowledged(
        view.Epoch + (random.Chance(0.1) ? random.Between(-1, 1) : 0),
        view.WriteSeq + (random.Chance(0.1) ? random.Between(-1, 1) : 0)));

    private ScriptStep.WritesChunk? DrawChunk(int client, PeerKey key, bool isSteerable)
    {
        if (View(client, key) is not { } view)
            return null;
        bool? unanswered = isSteerable && random.Chance(0.1) ? random.Chance(0.5) : null;
        long id = view.Chunks.Keys.Where(chunk => chunk.Epoch == view.Epoch).Select(chunk => chunk.Id).LastOrDefault()
            + (random.Chance(0.1) ? 0 : 1);
        return new ScriptStep.WritesChunk(client, key, view.Epoch, Math.Max(1, id), _draws.Text(), unanswered);
    }

    private Sending? One(int client, PeerKey key) =>
        View(client, key) is { } view ? new Sending(client, [_draws.Write(view)]) : null;

    private Sending? Send(int client, PeerKey key)
    {
        if (random.Chance(0.7))
            return One(client, key);
        PeerWrite[] writes = [.. peers.Select(peer => View(client, peer)).OfType<SimulatedRow>().Select(_draws.Write)];
        return writes.Length > 0 ? new Sending(client, writes) : null;
    }

    private SimulatedRow? View(int client, PeerKey key) => _views.GetValueOrDefault((client, key));

    private void Learn(Taking taking, StepResult result)
    {
        if (IsDown)
            return;
        _unanswered.Remove((taking.Client, taking.Key));
        if (result.Loaded is not { } peer)
            return;
        var view = new SimulatedRow
        {
            Key = peer.Key,
            StorageId = peer.StorageId,
            Epoch = peer.Epoch,
            WriteSeq = peer.WriteSeq,
            HardState = peer.HardState,
            Pointer = peer.Snapshot.Pointer,
            Log = [.. peer.Entries],
        };
        _views[(taking.Client, taking.Key)] = view;
    }

    private void Learn(Sending sending, IEnumerable<WriteOutcome> outcomes)
    {
        foreach ((PeerWrite write, WriteOutcome outcome) in sending.Writes.Zip(outcomes))
        {
            if (outcome == WriteOutcome.Committed)
                RowFence.Apply(View(sending.Client, write.Key)!, write, StoragePlants.None);
        }
    }
}
