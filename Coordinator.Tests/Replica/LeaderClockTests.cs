using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

public sealed class LeaderClockTests
{
    private const long ElectionTimeoutUs = 500_000;

    private readonly LeaderClock _clock = new(ElectionTimeoutUs);

    [Fact]
    public void It_begins_at_the_highest_stamp_of_the_own_log()
    {
        _clock.Start(highestStampUs: 7_000_000, nowUs: 100);
        Assert.Equal(7_000_000, _clock.ValueUs);
    }

    [Fact]
    public void It_advances_as_real_time_does()
    {
        _clock.Start(1_000, nowUs: 0);
        _clock.Advance(nowUs: 20_000, quorumHeardUs: 20_000, oldestAppendUs: null);
        Assert.Equal(21_000, _clock.ValueUs);
    }

    [Fact]
    public void A_pause_advances_it_by_at_most_one_election_timeout()
    {
        _clock.Start(1_000, nowUs: 0);
        _clock.Advance(nowUs: 60_000_000, quorumHeardUs: 60_000_000, oldestAppendUs: null);
        Assert.Equal(1_000 + ElectionTimeoutUs, _clock.ValueUs);
    }

    [Fact]
    public void A_rest_of_the_whole_group_counts_in_full()
    {
        _clock.Start(1_000, nowUs: 0);
        _clock.Resume(nowUs: 60_000_000);
        _clock.Advance(nowUs: 60_000_005, quorumHeardUs: 60_000_005, oldestAppendUs: null);
        Assert.Equal(60_001_005, _clock.ValueUs);
    }

    [Fact]
    public void It_stands_still_while_no_quorum_has_answered_for_an_election_timeout()
    {
        _clock.Start(1_000, nowUs: 0);
        _clock.Advance(nowUs: 400_000, quorumHeardUs: 0, oldestAppendUs: null);
        _clock.Advance(nowUs: 800_000, quorumHeardUs: 0, oldestAppendUs: null);
        Assert.Equal(401_000, _clock.ValueUs);
    }

    [Fact]
    public void It_stands_still_while_an_append_waits_for_its_quorum_longer_than_that()
    {
        _clock.Start(1_000, nowUs: 0);
        _clock.Advance(nowUs: 400_000, quorumHeardUs: 400_000, oldestAppendUs: 0);
        _clock.Advance(nowUs: 800_000, quorumHeardUs: 800_000, oldestAppendUs: 0);
        Assert.Equal(401_000, _clock.ValueUs);
    }

    [Fact]
    public void What_it_stood_still_for_is_never_made_up()
    {
        _clock.Start(1_000, nowUs: 0);
        _clock.Advance(nowUs: 800_000, quorumHeardUs: 0, oldestAppendUs: null);
        _clock.Advance(nowUs: 900_000, quorumHeardUs: 900_000, oldestAppendUs: null);
        Assert.Equal(101_000, _clock.ValueUs);
    }

    [Fact]
    public void A_clock_that_jumps_back_neither_lowers_it_nor_counts_twice()
    {
        _clock.Start(1_000, nowUs: 1_000_000);
        _clock.Advance(nowUs: 900_000, quorumHeardUs: 900_000, oldestAppendUs: null);
        _clock.Advance(nowUs: 1_000_000, quorumHeardUs: 1_000_000, oldestAppendUs: null);
        Assert.Equal(1_000, _clock.ValueUs);
    }
}
