using Coordinator.Grains.Orleans;
using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Orleans;

public sealed class PeerTombstonesTests
{
    private static readonly PeerKey Key = new(0, new PeerId(2));
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly StoppedTime _time = new();
    private readonly PeerTombstones _tombstones;

    public PeerTombstonesTests() => _tombstones = new PeerTombstones(_time);

    [Fact]
    public void A_tombstone_stands_ten_seconds_and_twice_as_long_each_time_the_peer_comes_to_nothing()
    {
        Assert.True(_tombstones.LeftOf(Key) <= TimeSpan.Zero);
        Assert.Equal([10, 20, 40, 80], Enumerable.Range(0, 4).Select(_ => _tombstones.Lay(Key, Moment).TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(80), _tombstones.LeftOf(Key));
        _time.Advance(TimeSpan.FromSeconds(79));
        Assert.Equal(Moment, _tombstones.LeftOf(Key));
        _time.Advance(Moment);
        Assert.True(_tombstones.LeftOf(Key) <= TimeSpan.Zero);
        Assert.True(_tombstones.LeftOf(new PeerKey(0, new PeerId(1))) <= TimeSpan.Zero);
    }

    [Fact]
    public void It_stands_ten_minutes_at_most()
    {
        for (int i = 0; i < 20; i++)
            _tombstones.Lay(Key, Moment);
        Assert.Equal(TimeSpan.FromMinutes(10), _tombstones.LeftOf(Key));
    }

    [Fact]
    public void A_peer_that_ran_longer_than_its_last_tombstone_stood_begins_anew()
    {
        _tombstones.Lay(Key, Moment);
        _tombstones.Lay(Key, Moment);
        Assert.Equal(TimeSpan.FromSeconds(10), _tombstones.Lay(Key, ran: TimeSpan.FromSeconds(21)));
    }

    private sealed class StoppedTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
