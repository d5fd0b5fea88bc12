using System.Net;
using Coordinator.Silo.Hosting;
using Microsoft.Extensions.Configuration;

namespace Coordinator.Tests.Silo;

public sealed class OptionsReaderTests
{
    [Fact]
    public void Without_any_setting_the_defaults_hold()
    {
        CoordinatorOptions options = Read();
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7400), options.Listen);
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "data"), options.DataFolder);
        Assert.False(options.AllowInsecure);
        Assert.Equal(3, options.Peers);
        Assert.Null(options.ConnectionString);
    }

    [Fact]
    public void The_appsettings_json_that_is_shipped_says_what_the_defaults_are()
    {
        IConfiguration shipped = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(EndToEnd.SiloProcess.ProgramFolder, "appsettings.json"))
            .Build();
        Assert.NotEmpty(shipped.GetSection(CoordinatorOptions.SectionName).GetChildren());
        CoordinatorOptions options = OptionsReader.Read(shipped);
        Assert.Equal(
            Read() with { AllowedHosts = options.AllowedHosts, AllowedOrigins = options.AllowedOrigins }, options);
        Assert.Empty(options.AllowedHosts);
        Assert.Empty(options.AllowedOrigins);
    }

    [Theory]
    [InlineData("AllowInsecure", "yes", "true or false")]
    [InlineData("DataFolder", "  ", "a text that is not empty")]
    [InlineData("Groups", "0", "from 1 to 1024")]
    [InlineData("Groups", "1025", "from 1 to 1024")]
    [InlineData("Peers", "0", "from 1 to 7")]
    [InlineData("Peers", "8", "from 1 to 7")]
    [InlineData("Peers", "three", "from 1 to 7")]
    [InlineData("Peers", "2", "an odd number")]
    [InlineData("StateCheckEntries", "99", "from 100 to 10000000")]
    [InlineData("ElectionTimeout", "1000", "500ms")]
    [InlineData("ElectionTimeout", "99ms", "from 100ms to 1m")]
    [InlineData("ElectionTimeout", "61s", "from 100ms to 1m")]
    [InlineData("ElectionTimeout", "-5s", "from 100ms to 1m")]
    [InlineData("ElectionTimeout", "NaNs", "from 100ms to 1m")]
    [InlineData("HeartbeatInterval", "400ms", "at least three times")]
    [InlineData("Listen", "http://*:7400", "AllowInsecure")]
    public void A_bad_value_is_named_with_its_option_and_what_is_allowed(string name, string value, string allowed)
    {
        StartupException refusal = Assert.Throws<StartupException>(() => Read((name, value)));
        Assert.Equal(ExitCode.BadOptions, refusal.ExitCode);
        Assert.Contains($"Coordinator:{name} is", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(allowed, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Lisen")]
    [InlineData("Postgres:Bin")]
    [InlineData("Listen:Port")]
    public void An_unknown_key_is_refused_and_the_known_ones_are_listed(string key)
    {
        StartupException refusal = Assert.Throws<StartupException>(() => Read((key, "x")));
        Assert.Contains($"Coordinator:{key} is not an option", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Listen, Peers", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_number_of_groups_is_said_where_they_are_restored_too()
    {
        CoordinatorOptions options = Read(("Groups", "2"), ("Restore:File", "x"));
        Assert.Equal((2, Path.GetFullPath("x")), (options.Groups, options.Restore?.File));
        Assert.Equal(1, Read(("Restore:File", "x")).Groups);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        StartupException refusal = Assert.Throws<StartupException>(() => Read(("Peers", "x"), ("AllowInsecure", "x"), ("X", "x")));
        Assert.Equal(3, refusal.Message.Split('\n').Length);
    }

    [Fact]
    public void A_list_is_an_array_or_a_text_with_commas()
    {
        Assert.Equal(["a", "b:1"], Read(("AllowedHosts", "a, b:1")).AllowedHosts);
        Assert.Equal(["a", "b:1"], Read(("AllowedHosts:0", "a"), ("AllowedHosts:1", "b:1")).AllowedHosts);
    }

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("1.5s", 1500)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("00:00:01.5", 1500)]
    public void A_duration_carries_its_unit(string text, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), SettingReader.ParseDuration(text));

    [Theory]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("1e300h")]
    [InlineData("1,5s")]
    [InlineData("")]
    public void What_is_no_duration_is_none(string text) => Assert.Null(SettingReader.ParseDuration(text));

    [Fact]
    public void A_malformed_connection_string_is_refused_without_repeating_it()
    {
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("ConnectionStrings:Coordinator", "Host=x;Pasword=secret")])
            .Build();
        StartupException refusal = Assert.Throws<StartupException>(() => OptionsReader.Read(configuration));
        Assert.Contains("ConnectionStrings:Coordinator", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
    }

    private static CoordinatorOptions Read(params (string Name, string Value)[] settings) => OptionsReader.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create($"Coordinator:{s.Name}", (string?)s.Value)))
            .Build());
}
