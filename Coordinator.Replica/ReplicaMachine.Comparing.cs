using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

/// <summary>
/// Storage that went back in time (rule 4): each replica is a witness of the others', and compares its own before it takes
/// part. Invariant: a new activation votes for nobody and acknowledges nothing before the comparison is over and its epoch
/// is in the file beside the silo; what it is asked of others' storage it answers at any time, so that peers that start
/// together don't wait for each other.
/// </summary>
public sealed partial class ReplicaMachine
{
    private const int HeldMax = 64;

    private readonly Sightings _sightings = new();

    /// <summary>What came before it took part: an election that others begin meanwhile is not to be lost.</summary>
    private readonly List<Envelope> _held = [];
    private StorageComparison? _comparison;
    private StorageMark _recorded;
    private long _recordedUs;
    private bool _isRecording;
    private string? _verdict;
    private string? _alarm;
    private bool _campaignsNext;

    /// <summary>The file beside the silo has on disk what the last <see cref="ReplicaEffects.RecordWitness"/> held.</summary>
    public void WitnessRecorded(StorageMark mark)
    {
        _isRecording = false;
        _recorded = mark;
        if (Service != ServiceState.Comparing || mark.Epoch != _stored.Epoch)
            return;
        Service = ServiceState.Running;
        Detail = null;
        _effects.LeadershipChanged = true;
        if (_campaignsNext)
            Campaign();
        foreach (Envelope envelope in _held)
            Receive(envelope);
        _held.Clear();
    }

    /// <summary>The storage is older than it once was: this replica takes no part any more (rule 4).</summary>
    public void WentBack(string why)
    {
        if (Service is ServiceState.Stopped or ServiceState.Quarantined)
            return;
        _verdict = _alarm = why;
        Halt(ServiceState.Quarantined, why);
    }

    private void BeginComparison(StorageEvidence evidence)
    {
        _recorded = evidence.File?.Mark ?? default;
        _comparison = new StorageComparison(_key.Peer, _stored, evidence, _options, _nowUs);
        if (Service != ServiceState.Running)
            return;
        Halt(ServiceState.Comparing, "It has yet to compare its storage with what others have seen of it.");
        if (_comparison.FilesVerdict() is { } verdict)
            WentBack(verdict);
    }

    private void Compare()
    {
        ConfState members = _state.Membership.ConfState;
        _comparison!.Learn(_state.AppliedIndex, members.Voters, members.VotersOutgoing);
        foreach (PeerId peer in _comparison.ToAsk(_nowUs))
            AskOfStorage(peer);
        _epochCheckDue |= _successorEpoch > _stored.Epoch;
        BeginEpochRead();
        // Whoever has heard of a later activation has it looked up first: either this one is fenced off, or the row is old.
        if (_successorEpoch > _stored.Epoch || !_comparison.IsOver(_nowUs))
        {
            Detail = _comparison.Missing.Count == 0
                ? "It waits for the group to speak to it: it has yet to learn who has seen its storage."
                : $"It waits for what others have seen of its storage: {string.Join(", ", _comparison.Missing.Select(peer => $"peer {peer}"))}.";
            return;
        }
        Record(Mark());
    }

    private StorageMark Mark() => new(_stored.StorageId, _stored.Epoch, _writes.PromisedWriteSeq);

    /// <summary>In the background: with each activation, and as often as the option says while promises are made.</summary>
    private void RecordWitness()
    {
        _effects.WentBack = _alarm;
        _alarm = null;
        if (_comparison is null)
            return;
        if (_verdict is not null)
            Record(_recorded with { StorageId = _stored.StorageId });
        StorageMark mark = Mark();
        bool isDue = mark.Epoch != _recorded.Epoch
            || (mark.WriteSeq != _recorded.WriteSeq && _nowUs - _recordedUs >= _options.WitnessIntervalUs);
        if (Service == ServiceState.Running && isDue)
            Record(mark);
    }

    private void Record(StorageMark mark)
    {
        if (_isRecording)
            return;
        _isRecording = true;
        _recordedUs = _nowUs;
        _effects.RecordWitness = new StorageWitness(mark, _stored.Moment, _verdict);
        _verdict = null;
    }

    /// <summary>Hears how far the sender's storage has come, and takes what is about storage alone.</summary>
    /// <returns>There is nothing more to do about it now.</returns>
    private bool Witnessed(Envelope envelope, Admission admission)
    {
        MessageType type = envelope.Message.Type;
        bool isOfStorage = type is MessageType.StorageQuestion or MessageType.StorageAnswer;
        // Nobody's word counts who is not, or not with that storage, in the group; a stopped replica is another's to speak for.
        if (Service == ServiceState.Stopped || admission == Admission.Foreign)
            return isOfStorage;
        if (type == MessageType.StorageQuestion)
            AnswerOfStorage(envelope, admission);
        else
            _sightings.Saw(envelope.From, new StorageMark(envelope.StorageId, envelope.Epoch, envelope.PromisedWriteSeq), _nowUs);
        if (_comparison is null || Service is not (ServiceState.Running or ServiceState.Comparing))
            return isOfStorage;
        if (type == MessageType.StorageAnswer && envelope.ReceiverEpoch == _stored.Epoch)
            OthersHaveSeen(envelope.From, envelope.StorageAnswer!);
        else if (_comparison.Heard(envelope.From, _nowUs))
            AskOfStorage(envelope.From);
        if (Service != ServiceState.Comparing || isOfStorage)
            return isOfStorage;
        if (envelope.ReceiverEpoch > _stored.Epoch)
            HeardOfSuccessor(envelope.ReceiverEpoch);
        else if (_held.Count < HeldMax && type != MessageType.Snap)
            _held.Add(envelope);
        return true;
    }

    private void OthersHaveSeen(PeerId from, StorageAnswer answer)
    {
        if (answer.Epoch > _stored.Epoch)
            HeardOfSuccessor(answer.Epoch);
        else if (_comparison!.Answered(from, answer, _writes.PromisedWriteSeq) is { } verdict)
            WentBack(verdict);
    }

    private void AskOfStorage(PeerId peer) =>
        _effects.Send.Add(Wrap(new Message { Type = MessageType.StorageQuestion, From = _key.Peer, To = peer, Term = _raft.Term }));

    private void AnswerOfStorage(Envelope question, Admission admission)
    {
        // What its earlier activations have promised and is still on its way must not be counted after this answer.
        if (admission == Admission.Newer)
        {
            DrainRaft();
            _activations.Record(question.From, question.Epoch);
            _reports.Remove(question.From);
        }
        StorageMark seen = _sightings.Of(question.From, question.StorageId);
        ConfState members = _state.Membership.ConfState;
        _effects.Send.Add(Wrap(new Message { Type = MessageType.StorageAnswer, From = _key.Peer, To = question.From, Term = _raft.Term }) with
        {
            ReceiverEpoch = question.Epoch,
            StorageAnswer = new StorageAnswer(
                Math.Max(seen.Epoch, _activations.EpochOf(question.From)), seen.WriteSeq, _state.AppliedIndex,
                members.Voters, members.VotersOutgoing),
        });
    }
}
