using Coordinator.Raft.Quorum;

namespace Coordinator.Raft.Tracker;

/// <summary>
/// The configuration, the progress of each peer in it, and the votes of the election under way.
/// Invariant: exactly the peers of the configuration have a progress.
/// </summary>
internal sealed class ProgressTracker
{
    private readonly int _maxInflightMessages;
    private readonly long _maxInflightBytes;
    private readonly Func<PeerId, long?> _matchOf;
    private readonly Dictionary<PeerId, bool> _votes = [];

    public ProgressTracker(int maxInflightMessages, long maxInflightBytes)
    {
        _maxInflightMessages = maxInflightMessages;
        _maxInflightBytes = maxInflightBytes;
        // One delegate for good: this is asked for each acknowledgement.
        _matchOf = id => Peers.Find(id)?.Match;
    }

    public Configuration Configuration { get; private set; } = Configuration.Empty;

    public ProgressMap Peers { get; private set; } = new();

    /// <summary>One voter alone decides everything.</summary>
    public bool IsSingleton => Configuration.Voters.Incoming.Count == 1 && !Configuration.IsJoint;

    /// <summary>The highest index on a quorum.</summary>
    public long Committed() => Configuration.Voters.CommittedIndex(_matchOf);

    public Progress NewProgress(long match, long next) =>
        new(match, next, new Inflights(_maxInflightMessages, _maxInflightBytes));

    public void Switch(Configuration configuration, ProgressMap peers)
    {
        Configuration = configuration;
        Peers = peers;
    }

    /// <summary>A new term: nothing is known of anyone but this peer itself.</summary>
    public void Reset(PeerId self, long lastIndex)
    {
        ResetVotes();
        for (int i = 0; i < Peers.Count; i++)
        {
            PeerId id = Peers.IdAt(i);
            Progress fresh = NewProgress(id == self ? lastIndex : 0, lastIndex + 1);
            fresh.IsLearner = Peers.At(i).IsLearner;
            Peers.Set(id, fresh);
        }
    }

    public void ResetVotes() => _votes.Clear();

    /// <summary>The first vote of each peer counts.</summary>
    public void RecordVote(PeerId id, bool granted) => _votes.TryAdd(id, granted);

    public VoteResult TallyVotes() =>
        Configuration.Voters.VoteResult(id => _votes.TryGetValue(id, out bool granted) ? granted : null);

    /// <summary>A quorum has answered since the last check.</summary>
    public bool QuorumActive() =>
        Configuration.Voters.VoteResult(id => Peers.Find(id)?.RecentActive) == VoteResult.Won;
}
