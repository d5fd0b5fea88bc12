using Coordinator.Raft.Log;

namespace Coordinator.Raft;

/// <summary>Handing out work, and hearing that it is done.</summary>
public sealed partial class RawNode
{
    // Without asynchronous writes: what to step when the caller says that all is done.
    private readonly List<Message> _onAdvance = [];
    private SoftState _lastSoftState;
    private HardState _lastHardState;

    /// <summary>There is work to hand out.</summary>
    public bool HasReady =>
        _core.SoftState != _lastSoftState
        || _core.HardState != _lastHardState
        || _core.Log.Unstable.SnapshotToWrite is not null
        || !_core.Outbox.IsEmpty
        || _core.Log.Unstable.HasEntriesToWrite
        || _core.Log.HasEntriesToApply
        || _core.ReadStates.Count > 0;

    /// <summary>Hands out all work there is. Without asynchronous writes, <see cref="Advance"/> must follow.</summary>
    public Ready Ready()
    {
        Invariant.Require(_onAdvance.Count == 0, $"{Id} was asked for the next Ready before Advance");
        EntrySlice entries = _core.Log.Unstable.EntriesToWrite();
        EntrySlice committed = _core.Log.EntriesToApply();
        Snapshot? snapshot = _core.Log.Unstable.SnapshotToWrite;
        HardState hardState = _core.HardState;
        bool hardStateChanged = hardState != _lastHardState;
        Ready ready = new()
        {
            SoftState = _core.SoftState == _lastSoftState ? null : _core.SoftState,
            HardState = hardStateChanged ? hardState : default,
            ReadStates = _core.TakeReadStates(),
            Entries = entries,
            Snapshot = snapshot,
            CommittedEntries = committed,
            Messages = TakeMessages(entries, committed, snapshot, hardStateChanged ? hardState : default),
            // A commit index alone may be lost: it is found again.
            MustSync = !entries.IsEmpty
                || hardState.Term != _lastHardState.Term
                || hardState.Vote != _lastHardState.Vote,
        };
        _lastSoftState = _core.SoftState;
        _lastHardState = hardState;
        _core.Log.Unstable.AcceptInProgress();
        _core.Log.AcceptApplying(committed);
        return ready;
    }

    /// <summary>
    /// All of the last <see cref="Ready"/> has been done. Not with asynchronous writes, whose responses tell.
    /// </summary>
    public void Advance()
    {
        Invariant.Require(!_async, $"{Id} writes asynchronously: responses take the place of Advance");
        foreach (Message message in _onAdvance)
        {
            _core.Step(message);
        }

        _onAdvance.Clear();
    }

    private List<Message> TakeMessages(
        EntrySlice entries, EntrySlice committed, Snapshot? snapshot, HardState hardState)
    {
        List<Message> messages = _core.Outbox.TakeNow();
        List<Message> afterAppend = _core.Outbox.TakeAfterAppend();
        bool writes = !entries.IsEmpty || !hardState.IsEmpty || snapshot is not null || afterAppend.Count > 0;
        if (_async)
        {
            if (writes)
            {
                AddWritten(afterAppend, snapshot);
                messages.Add(StorageAppend(entries, snapshot, hardState, afterAppend));
            }

            if (!committed.IsEmpty)
            {
                messages.Add(StorageApply(committed));
            }

            return messages;
        }

        // Messages go out after the write, so what waits for it may go with them; what is for this peer itself waits
        // for Advance.
        foreach (Message message in afterAppend)
        {
            (message.To == Id ? _onAdvance : messages).Add(message);
        }

        AddWritten(_onAdvance, snapshot);
        if (!committed.IsEmpty)
        {
            _onAdvance.Add(Applied(committed));
        }

        return messages;
    }

    /// <summary>
    /// Adds the news that everything handed out so far is durable. It names the end of the whole log, also when this
    /// write holds no entries: an earlier one's news may have been dropped because the term changed meanwhile. And it
    /// carries the term: in a later one other entries may be on their way to the same place, and until those are
    /// written the ones in memory must stay.
    /// </summary>
    private void AddWritten(List<Message> responses, Snapshot? snapshot)
    {
        if (!_core.Log.Unstable.HasEntries && snapshot is null)
        {
            return;
        }

        LogPosition last = _core.Log.Unstable.HasEntries ? _core.Log.Last : default;
        responses.Add(new Message
        {
            Type = MessageType.StorageAppendResp,
            To = Id,
            From = PeerId.LocalAppendThread,
            Term = Term,
            Index = last.Index,
            LogTerm = last.Term,
            Snapshot = snapshot,
        });
    }

    private Message StorageAppend(
        EntrySlice entries, Snapshot? snapshot, HardState hardState, List<Message> responses) => new()
        {
            Type = MessageType.StorageAppend,
            To = PeerId.LocalAppendThread,
            From = Id,
            Entries = entries,
            Term = hardState.Term,
            Vote = hardState.Vote,
            Commit = hardState.Commit,
            Snapshot = snapshot,
            Responses = responses,
        };

    private Message StorageApply(EntrySlice committed) => new()
    {
        Type = MessageType.StorageApply,
        To = PeerId.LocalApplyThread,
        From = Id,
        Entries = committed,
        Responses = [Applied(committed)],
    };

    /// <summary>What is committed is applied under no term.</summary>
    private Message Applied(EntrySlice committed) => new()
    {
        Type = MessageType.StorageApplyResp,
        To = Id,
        From = PeerId.LocalApplyThread,
        Entries = committed,
    };
}
