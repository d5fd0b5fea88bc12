using Coordinator.Contracts;

namespace Coordinator.Tests.Contracts;

public sealed class ResourceNameTests
{
    [Theory]
    [InlineData("orders/42")]
    [InlineData("a")]
    [InlineData("ключ/..hidden/x.")]
    [InlineData("emoji/😀")]
    public void A_plain_name_is_valid(string name) => Assert.Null(ResourceName.Problem(name));

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData(".")]
    [InlineData("a/.")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("a\u0085b")]
    [InlineData("a\uFFFDb")]
    public void A_name_that_breaks_a_rule_is_refused_with_a_reason(string? name) =>
        Assert.NotNull(ResourceName.Problem(name));

    [Fact]
    public void An_unpaired_surrogate_is_refused() => Assert.NotNull(ResourceName.Problem("a" + '\ud800'));

    [Fact]
    public void A_name_of_exactly_the_limit_is_valid_and_one_byte_more_is_not()
    {
        string half = new('é', Limits.NameBytesMax / 2);
        Assert.Null(ResourceName.Problem(half));
        Assert.NotNull(ResourceName.Problem(half + "a"));
    }
}
