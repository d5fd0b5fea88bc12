using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

public sealed class FollowerWatchTests
{
    private const long BaseUs = 1_000;

    private static readonly PeerId Follower = new(2);

    private readonly FollowerWatch _watch = new(BaseUs);

    [Fact]
    public void A_silence_is_reported_after_one_two_four_and_eight_times_the_base()
    {
        List<long> reported = [];
        for (long nowUs = 0; nowUs <= 10 * BaseUs; nowUs += 100)
        {
            if (_watch.Check(Follower, heardUs: null, nowUs) is ReplicaWarning.FollowerSilent silent)
                reported.Add(silent.SilentUs);
        }
        Assert.Equal([BaseUs, 2 * BaseUs, 4 * BaseUs, 8 * BaseUs], reported);
    }

    [Fact]
    public void A_follower_that_answers_is_never_reported()
    {
        for (long nowUs = 0; nowUs <= 10 * BaseUs; nowUs += 100)
            Assert.Null(_watch.Check(Follower, heardUs: nowUs - 100, nowUs));
    }

    [Fact]
    public void One_that_is_heard_again_is_reported_so_once_and_its_next_silence_starts_anew()
    {
        _watch.Check(Follower, null, 0);
        Assert.IsType<ReplicaWarning.FollowerSilent>(_watch.Check(Follower, null, 3 * BaseUs));
        Assert.Equal(new ReplicaWarning.FollowerHeardAgain(Follower), _watch.Check(Follower, 3 * BaseUs, 3 * BaseUs + 1));
        Assert.Null(_watch.Check(Follower, 3 * BaseUs, 3 * BaseUs + 2));
        Assert.Equal(new ReplicaWarning.FollowerSilent(Follower, BaseUs), _watch.Check(Follower, 3 * BaseUs, 4 * BaseUs));
    }

    [Fact]
    public void A_leader_that_stood_still_itself_reports_the_whole_silence_once()
    {
        _watch.Check(Follower, null, 0);
        Assert.Equal(new ReplicaWarning.FollowerSilent(Follower, 9 * BaseUs), _watch.Check(Follower, null, 9 * BaseUs));
        Assert.Null(_watch.Check(Follower, null, 15 * BaseUs));
        Assert.NotNull(_watch.Check(Follower, null, 16 * BaseUs));
    }

    [Fact]
    public void A_new_leader_counts_from_its_own_beginning()
    {
        _watch.Check(Follower, null, 0);
        _watch.Reset();
        Assert.Null(_watch.Check(Follower, null, 5 * BaseUs));
        Assert.NotNull(_watch.Check(Follower, null, 6 * BaseUs));
    }
}
