using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Google.Protobuf;

namespace Coordinator.Replica;

/// <summary>What the leader proposes for the group's own sake: a higher feature level (rule 25), a check of the state (rule 9).</summary>
public sealed partial class ReplicaMachine
{
    /// <summary>Of each peer's present activation.</summary>
    private readonly Dictionary<PeerId, PeerReport> _reports = [];

    private PeerReport _report;
    private bool _isTakenOut;

    /// <summary>The index of the last proposal made here; until that is applied there is no other.</summary>
    private long _groupProposal;

    private int AppliedLevel =>
        _planted == SeededBug.LevelNotReplicated ? _options.SupportedLevel : _state.FeatureLevel;

    private void ProposeForGroup()
    {
        // An earlier leader's proposal may still be in the log: only when all before the own term is applied is there none.
        bool isSettled = _raft.IsLeader && _raft.CommittedInCurrentTerm && _state.AppliedIndex >= _raft.CommitIndex;
        if (!isSettled || _groupProposal > _state.AppliedIndex)
            return;
        if (LevelToRaiseTo() is { } level && !IsMembershipChanging())
            ProposeForGroup(new Command { RaiseFeatureLevel = new RaiseFeatureLevel { Level = level } });
        else if (AppliedLevel >= FeatureLevels.StateHashInLog && _checks.IsDue(_state.AppliedIndex, _nowUs))
            ProposeForGroup(new Command { CheckState = Judge() });
    }

    private void ProposeForGroup(Command command)
    {
        if (_raft.Propose(command.ToByteArray()) != ProposalResult.Appended)
            return;
        _groupProposal = _raft.LastIndex;
        _appendTimes.Enqueue((_raft.LastIndex, _nowUs));
    }

    /// <summary>It proposes something by itself, or will in a while.</summary>
    private bool HasToProposeForGroup() => LevelToRaiseTo() is not null
        || (AppliedLevel >= FeatureLevels.StateHashInLog && _checks.WillBeDue(_state.AppliedIndex));

    private int? LevelToRaiseTo() =>
        _options.SupportedLevel > _state.FeatureLevel && LevelOfAll() is int level && level > _state.FeatureLevel ? level : null;

    /// <summary>The highest level that every member, learners and both halves of a joint configuration included, supports.</summary>
    private int LevelOfAll()
    {
        int level = _options.SupportedLevel;
        if (_planted == SeededBug.LevelRaisedAlone)
            return level;
        foreach (IReadOnlyList<PeerId> list in Memberships.Lists(_state.Membership.ConfState))
        {
            foreach (PeerId peer in list)
                level = Math.Min(level, ReportOf(peer)?.SupportedLevel ?? 0);
        }
        return level;
    }

    /// <summary>Then whoever joins has not been asked.</summary>
    private bool IsMembershipChanging() => UnappliedEntries().Any(entry => entry.Type != EntryType.Normal);

    private CheckState Judge() => _planted == SeededBug.LeadersHashTakenForTruth
        ? new CheckState { VerifiedIndex = _checks.Marker.Index, VerifiedHash = _checks.Marker.Hash }
        : _checks.Judge(
            _raft.Configuration.Voters,
            peer => ReportOf(peer) is { } report ? new CheckMarker(report.CheckIndex, report.CheckHash) : default);

    /// <summary>Null: its present activation has not been heard.</summary>
    private PeerReport? ReportOf(PeerId peer) => peer == _key.Peer ? _report : _reports.GetValueOrDefault(peer);

    private PeerReport NewReport() => new(_options.SupportedLevel, _checks.Marker.Index, _checks.Marker.Hash);

    private void CheckApplied(CheckState check, long index)
    {
        CheckMarker before = _checks.Marker;
        bool agrees = _checks.Applied(check, index, _state.ContentsHash(), _nowUs);
        _report = NewReport();
        if (!agrees && _planted != SeededBug.HashNotCompared)
        {
            TakeOut(
                ServiceState.Quarantined,
                $"The state at entry {before.Index} has the hash {before.Hash:x16} here and {check.VerifiedHash:x16} on a majority: "
                + "this replica's storage was changed or damaged. Replace this peer.");
        }
    }

    /// <summary>Ends the service from within a turn: what the turn would have sent or written stays here.</summary>
    private void TakeOut(ServiceState state, string why)
    {
        Halt(state, why);
        FailApplying("This replica has stopped before it applied the command.");
        _isTakenOut = true;
    }

    /// <summary>A snapshot of a level that this program does not support can't be taken over.</summary>
    private bool StopsAt(ReadOnlyMemory<byte> snapshot)
    {
        int level = CoordinationState.ReadFeatureLevel(snapshot);
        if (level <= _options.SupportedLevel)
            return false;
        TakeOut(ServiceState.Stopped, FeatureLevels.Unsupported(level, _options.SupportedLevel));
        return true;
    }

    /// <summary>
    /// What a replica holds that cannot read its stored state: the position, nothing else. It never runs.
    /// </summary>
    private static LoadedPeer Blank(LoadedPeer loaded)
    {
        SnapshotPointer pointer = loaded.Snapshot.Pointer;
        var bytes = new ArrayBufferWriter<byte>();
        CoordinationState.CreateBlank(Guid.Empty, loaded.Key.Group, pointer.Index, pointer.Term).WriteSnapshot(bytes);
        return loaded with
        {
            HardState = loaded.HardState with { Commit = pointer.Index },
            Snapshot = new StoredSnapshot(pointer, bytes.WrittenMemory),
            Entries = [],
        };
    }

    /// <summary>As an older leader, to which the operation is unknown, would (rule 25).</summary>
    private void RefuseUnknown(CommandTicket ticket) => Complete(
        ticket,
        new CommandResult { Error = ErrorCode.InvalidRequest },
        $"The group is at feature level {_state.FeatureLevel}, which does not know {ticket.Command.OperationCase}: upgrade all silos.");
}
