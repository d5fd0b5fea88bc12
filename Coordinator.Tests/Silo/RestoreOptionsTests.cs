using Coordinator.Silo.Hosting;
using Microsoft.Extensions.Configuration;

namespace Coordinator.Tests.Silo;

public sealed class RestoreOptionsTests
{
    [Fact]
    public void A_restore_is_read_from_the_command_line()
    {
        RestoreOptions restore = Read("--restore", "a.snapshot", "--floor", "7", "--hold-back", "30s").Restore!;
        Assert.Equal(new RestoreOptions(Path.GetFullPath("a.snapshot"), 7, TimeSpan.FromSeconds(30)), restore);
        Assert.Equal(new RestoreOptions(Path.GetFullPath("b"), 0, null), Read("--restore=b").Restore);
        Assert.Null(Read().Restore);
    }

    [Theory]
    [InlineData("Restore:Floor", "--restore", "a", "--floor", "-1")]
    [InlineData("Restore:Floor", "--restore", "a", "--floor", "9223372036854775807")]
    [InlineData("Restore:HoldBack", "--restore", "a", "--hold-back", "30")]
    [InlineData("Restore:HoldBack", "--restore", "a", "--hold-back", "2d")]
    [InlineData("a time from 0ms to 1441m", "--restore", "a", "--hold-back", "1442m")]
    [InlineData("--restore", "--hold-back", "30s")]
    [InlineData("--restore", "--floor", "7")]
    [InlineData("given twice", "--restore", "a", "--restore=b")]
    public void What_cannot_be_done_is_refused_by_name(string named, params string[] args)
    {
        StartupException refusal = Assert.Throws<StartupException>(() => Read(args));
        Assert.Equal(ExitCode.BadOptions, refusal.ExitCode);
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    private static CoordinatorOptions Read(params string[] args)
    {
        CommandLine.Check(args);
        return OptionsReader.Read(new ConfigurationBuilder().AddCommandLine(args, CommandLine.ShortNames).Build());
    }
}
