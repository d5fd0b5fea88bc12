using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Raft.Quorum;

namespace Coordinator.Replica;

/// <summary>The hash that a replica's state had at a CheckState entry; index 0: none.</summary>
internal readonly record struct CheckMarker(long Index, ulong Hash);

/// <summary>
/// When replicas compare their states, and what came of it (rule 9). Invariant: the marker is of this replica's own
/// state as it applied that entry; it is not part of the state, and goes with it.
/// </summary>
internal sealed class StateChecks(ReplicaOptions options)
{
    private long _lastIndex;
    private long _lastUs;

    public CheckMarker Marker { get; private set; }

    /// <summary>As of the last verdict that this replica gave.</summary>
    public bool IsDisputed { get; private set; }

    /// <summary>The state is another one than before: what was remembered of that says nothing about this.</summary>
    public void Reset(long appliedIndex, long nowUs)
    {
        Marker = default;
        _lastIndex = appliedIndex;
        _lastUs = nowUs;
    }

    /// <summary>An idle group proposes nothing: a check is not due for its own sake (rule 12).</summary>
    public bool IsDue(long appliedIndex, long nowUs) =>
        appliedIndex - _lastIndex >= options.CheckEntries && nowUs - _lastUs >= options.CheckIntervalUs;

    /// <summary>As <see cref="IsDue"/>, now or by time alone.</summary>
    public bool WillBeDue(long appliedIndex) => appliedIndex - _lastIndex >= options.CheckEntries;

    /// <summary>
    /// What the leader lays down about the last check: the hash that a majority of the voters have reported for it, in a
    /// joint configuration a majority of both halves. Its own counts as one, so that a leader whose state is wrong finds
    /// itself in the minority; without a majority it lays down nothing, and nobody goes.
    /// </summary>
    /// <param name="markerOf">What the voter has reported, this replica included.</param>
    public CheckState Judge(JointConfig voters, Func<PeerId, CheckMarker> markerOf)
    {
        CheckMarker[] markers = [.. voters.Ids().Select(markerOf)];
        long last = markers.Max(marker => marker.Index);
        foreach (ulong hash in markers.Where(marker => marker.Index == last).Select(marker => marker.Hash).Distinct())
        {
            if (last != 0 && HasMajority(voters, peer => markerOf(peer) == new CheckMarker(last, hash)))
            {
                IsDisputed = false;
                return new CheckState { VerifiedIndex = last, VerifiedHash = hash };
            }
        }
        // Fewer answers than a majority say nothing: those are late or down.
        IsDisputed |= last != 0 && HasMajority(voters, peer => markerOf(peer).Index == last);
        return new CheckState();
    }

    /// <summary>Takes over a CheckState entry that has just been applied.</summary>
    /// <returns>False: what a majority has found is not what this replica had.</returns>
    public bool Applied(CheckState check, long index, ulong hash, long nowUs)
    {
        bool differs = check.VerifiedIndex != 0 && check.VerifiedIndex == Marker.Index && check.VerifiedHash != Marker.Hash;
        Marker = new CheckMarker(index, hash);
        _lastIndex = index;
        _lastUs = nowUs;
        return !differs;
    }

    private static bool HasMajority(JointConfig voters, Func<PeerId, bool> agrees) =>
        voters.VoteResult(peer => agrees(peer)) == VoteResult.Won;
}
