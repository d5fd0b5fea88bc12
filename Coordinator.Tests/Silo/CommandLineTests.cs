using Coordinator.Silo.Hosting;

namespace Coordinator.Tests.Silo;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--listen", "http://127.0.0.1:1")]
    [InlineData("--data=./x")]
    [InlineData("--Coordinator:Peers", "3", "--Logging:LogLevel:Default=Debug")]
    public void What_is_known_passes(params string[] args) => CommandLine.Check(args);

    [Theory]
    [InlineData("--lisen", "x")]
    [InlineData("data")]
    [InlineData("--data")]
    [InlineData("--Coordinatr:Peers", "3")]
    public void What_would_be_passed_over_is_refused(params string[] args) =>
        Assert.Equal(ExitCode.BadOptions, Assert.Throws<StartupException>(() => CommandLine.Check(args)).ExitCode);
}
