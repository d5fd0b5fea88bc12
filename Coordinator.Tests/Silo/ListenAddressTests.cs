using Coordinator.Silo.Hosting;

namespace Coordinator.Tests.Silo;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7400", "127.0.0.1:7400")]
    [InlineData("http://localhost:0/", "127.0.0.1:0")]
    [InlineData("http://[::1]:65535", "[::1]:65535")]
    [InlineData("HTTP://*:80", "0.0.0.0:80")]
    public void An_address_is_read(string text, string endpoint) =>
        Assert.Equal(endpoint, ListenAddress.Parse(text)?.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:7400")]
    [InlineData("https://127.0.0.1:7400")]
    [InlineData("http://127.0.0.1")]
    [InlineData("http://127.0.0.1:65536")]
    [InlineData("http://127.0.0.1:-1")]
    [InlineData("http://127.0.0.1:7400/path")]
    [InlineData("http://127.1:7400")]
    [InlineData("http://silo.example:7400")]
    [InlineData("http://::1:7400")]
    public void What_is_no_address_is_refused(string text) => Assert.Null(ListenAddress.Parse(text));
}
