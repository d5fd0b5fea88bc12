using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// Notices followers that a leader hears nothing from. Invariant: one silence is reported when it has lasted 1, 2, 4, 8, …
/// times the base, never in between, so that a peer that is down for days fills no log.
/// </summary>
internal sealed class FollowerWatch(long baseUs)
{
    private readonly Dictionary<PeerId, Watched> _followers = [];

    /// <summary>As a leader begins: a silence counts from now.</summary>
    public void Reset() => _followers.Clear();

    /// <param name="heardUs">When it was last heard; null: not since this leader began.</param>
    /// <returns>What is to be reported now, if anything.</returns>
    public ReplicaWarning? Check(PeerId follower, long? heardUs, long nowUs)
    {
        if (!_followers.TryGetValue(follower, out Watched? watched))
            _followers[follower] = watched = new Watched { SinceUs = nowUs, ReportAfterUs = baseUs };
        if (heardUs > watched.SinceUs)
        {
            bool wasReported = watched.ReportAfterUs > baseUs;
            watched.SinceUs = heardUs.Value;
            watched.ReportAfterUs = baseUs;
            if (wasReported)
                return new ReplicaWarning.FollowerHeardAgain(follower);
        }
        long silentUs = nowUs - watched.SinceUs;
        if (silentUs < watched.ReportAfterUs)
            return null;
        // A loop that stood still itself reports the whole of it once.
        while (watched.ReportAfterUs <= silentUs)
            watched.ReportAfterUs *= 2;
        return new ReplicaWarning.FollowerSilent(follower, silentUs);
    }

    private sealed class Watched
    {
        public required long SinceUs { get; set; }

        public required long ReportAfterUs { get; set; }
    }
}
