using Coordinator.Contracts;

namespace Coordinator.Tests.Contracts;

public sealed class GroupOfNameTests
{
    /// <summary>Computed apart from the code: another answer would send a stored name to a group that does not have it.</summary>
    [Theory]
    [InlineData("a", 315)]
    [InlineData("foobar", 275)]
    [InlineData("orders", 617)]
    [InlineData("orders/eu/1", 617)]
    [InlineData("billing/x", 627)]
    [InlineData("日本/大阪", 659)]
    public void A_name_stays_in_its_group_for_ever(string name, int group) => Assert.Equal(group, GroupOfName.Of(name, 1000));

    [Fact]
    public void Names_are_spread_evenly()
    {
        int[] counts = new int[16];
        for (int i = 0; i < 16_000; i++)
            counts[GroupOfName.Of($"tenant-{i}/lock", 16)]++;
        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void A_prefix_without_a_whole_namespace_is_in_several_groups()
    {
        Assert.Null(GroupOfName.OfPrefix("", 2));
        Assert.Null(GroupOfName.OfPrefix("orders", 2));
        Assert.Equal(GroupOfName.Of("orders", 2), GroupOfName.OfPrefix("orders/", 2));
        Assert.Equal(0, GroupOfName.OfPrefix("", 1));
    }

    [Fact]
    public void The_longest_name_has_a_group() => Assert.InRange(GroupOfName.Of(new string('é', Limits.NameBytesMax / 2), 7), 0, 6);
}
