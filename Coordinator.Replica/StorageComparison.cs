using Coordinator.Raft;
using Coordinator.Raft.Quorum;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

/// <summary>
/// Whether an activation's storage is what it last was (rule 4): compared with the file beside the silo, and with what the
/// other voters have seen of it. Invariant: it is over only when nobody who may have counted one of this peer's promises
/// can know more than the storage does: all other voters have answered; or the file vouches for the storage, an election
/// time-out has passed, and those who answer are a majority with it.
/// </summary>
internal sealed class StorageComparison(PeerId self, LoadedPeer loaded, StorageEvidence evidence, ReplicaOptions options, long nowUs)
{
    private readonly HashSet<PeerId> _answered = [];
    private readonly SortedDictionary<PeerId, long> _askedUs = [];
    private readonly SeededBug _planted = SeededBugs.Planted;
    private JointConfig _voters = JointConfig.Empty;
    private long _votersIndex = -1;

    /// <summary>Of those who must answer, and have not; none while it is not known who the voters are.</summary>
    public IReadOnlyList<PeerId> Missing => [.. _voters.Ids().Where(peer => peer != self && !_answered.Contains(peer))];

    /// <summary>
    /// What the file says against the storage; null: nothing. Its epoch is on disk before that activation says anything, so
    /// a row from before it is always found. Its write_seq may lag.
    /// </summary>
    public string? FilesVerdict()
    {
        if (evidence.File is not { } file || file.Mark.StorageId != loaded.StorageId || evidence.IsTrusted
            || _planted is SeededBug.WitnessFileIgnored or SeededBug.StorageNotCompared)
            return null;
        if (file.Verdict is not null)
            return file.Verdict;
        return file.Mark.Epoch >= loaded.Epoch || file.Mark.WriteSeq > loaded.WriteSeq
            ? $"The database went back in time: it has activation {loaded.Epoch - 1} and write {loaded.WriteSeq} of this peer, and {StorageWitness.Title} has seen activation {file.Mark.Epoch} and write {file.Mark.WriteSeq}."
            : null;
    }

    /// <summary>As the own state, or a peer that has applied more, has them.</summary>
    public void Learn(long appliedIndex, IReadOnlyList<PeerId> voters, IReadOnlyList<PeerId> outgoing)
    {
        if (appliedIndex <= _votersIndex)
            return;
        _votersIndex = appliedIndex;
        _voters = new JointConfig(MajorityConfig.Create([.. voters]), MajorityConfig.Create([.. outgoing]));
    }

    /// <param name="promised">The last promise that this peer has stored by now.</param>
    /// <returns>What the answer says against the storage; null: nothing.</returns>
    public string? Answered(PeerId from, StorageAnswer answer, long promised)
    {
        _answered.Add(from);
        Learn(answer.AppliedIndex, answer.Voters, answer.VotersOutgoing);
        return answer.WriteSeq > promised && _planted != SeededBug.StorageNotCompared
            ? $"The database went back in time: write {promised} of this peer is stored, and peer {from} has seen write {answer.WriteSeq}."
            : null;
    }

    public bool IsOver(long atUs)
    {
        if (!evidence.AsksOthers || _planted is SeededBug.StorageNotCompared or SeededBug.ComparedBeforeAnswers)
            return true;
        // Storage without a membership is a new peer's, or an old one's from when it was new: whoever speaks to it knows more.
        if (!KnowsVoters)
            return _planted == SeededBug.BlankStorageTrusted;
        if (Missing.Count == 0)
            return true;
        return FileVouches() && atUs - nowUs >= options.ElectionTimeoutUs
            && _voters.VoteResult(peer => peer == self || _answered.Contains(peer)) == VoteResult.Won;
    }

    /// <summary>Whom to ask now: each again after a while, until it has answered.</summary>
    public List<PeerId> ToAsk(long atUs)
    {
        List<PeerId> peers = !evidence.AsksOthers ? [] : [.. Missing.Where(peer => MayAsk(peer, atUs))];
        peers.ForEach(peer => _askedUs[peer] = atUs);
        return peers;
    }

    /// <summary>One that has been heard, of whatever membership: it lives, and may know of a later one.</summary>
    public bool Heard(PeerId peer, long atUs)
    {
        if (!evidence.AsksOthers || _answered.Contains(peer) || !MayAsk(peer, atUs))
            return false;
        _askedUs[peer] = atUs;
        return true;
    }

    private bool KnowsVoters => !_voters.Ids().IsEmpty;

    private bool MayAsk(PeerId peer, long atUs) =>
        !_askedUs.TryGetValue(peer, out long asked) || atUs - asked >= 2 * options.TickUs * options.HeartbeatTicks;

    /// <summary>The database's own history has gone on from where the file last saw it.</summary>
    private bool FileVouches() => _planted == SeededBug.EveryTimelineVouched
        || (evidence.File is { } file && file.Mark.StorageId == loaded.StorageId && loaded.Moment.Continues(file.Moment));
}
