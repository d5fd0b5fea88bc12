using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

public sealed class EpochGateTests
{
    private readonly EpochGate _gate = new();
    private readonly List<GatedItem> _released = [];

    private static GatedItem Item() => new(null, new ReadRound(1, 0, []));

    [Fact]
    public void A_read_that_began_before_an_item_was_added_does_not_release_it()
    {
        _gate.ReadBegins(nowUs: 1);
        _gate.Add(Item());
        _gate.ReadConfirmed(_released);
        Assert.Empty(_released);
        _gate.ReadBegins(nowUs: 2);
        _gate.ReadConfirmed(_released);
        Assert.Single(_released);
    }

    [Fact]
    public void A_fenced_write_that_began_since_serves_too()
    {
        _gate.Add(Item());
        _gate.WriteBegins(nowUs: 1);
        _gate.Add(Item());
        _gate.WriteConfirmed(_released);
        Assert.Single(_released);
    }

    [Fact]
    public void A_failed_read_releases_nothing_and_leaves_the_item_for_the_next()
    {
        _gate.Add(Item());
        _gate.ReadBegins(nowUs: 1);
        _gate.ReadFailed();
        Assert.False(_gate.ReadInFlight);
        Assert.False(_gate.IsEmpty);
    }

    [Fact]
    public void What_an_earlier_activation_waited_for_is_forgotten()
    {
        _gate.Add(Item());
        _gate.ReadBegins(nowUs: 1);
        _gate.Reset(nowUs: 2);
        _gate.ReadConfirmed(_released);
        Assert.Empty(_released);
        Assert.True(_gate.IsEmpty);
    }

    [Fact]
    public void A_write_of_an_earlier_activation_cannot_release_what_was_added_after_the_reset()
    {
        _gate.Add(Item());
        _gate.WriteBegins(nowUs: 1);
        _gate.Reset(nowUs: 2);
        _gate.Add(Item());
        _gate.WriteConfirmed(_released);
        Assert.Empty(_released);
    }

    [Fact]
    public void A_flood_drops_the_oldest_and_still_releases_only_what_is_covered()
    {
        for (int i = 0; i < 5_000; i++)
            _gate.Add(Item());
        _gate.ReadBegins(nowUs: 1);
        _gate.Add(Item());
        _gate.ReadConfirmed(_released);
        Assert.Equal(4_095, _released.Count);
        Assert.False(_gate.IsEmpty);
    }
}
