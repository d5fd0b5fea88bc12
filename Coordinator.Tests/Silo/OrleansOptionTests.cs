using Coordinator.Silo.Hosting;
using Microsoft.Extensions.Configuration;

namespace Coordinator.Tests.Silo;

/// <summary>Coordinator:Host = Orleans, in a program that was compiled with it and in one that was not.</summary>
public sealed class OrleansOptionTests
{
    private const string Database = "Host=h;Database=coordinator";

#if ORLEANS
    [Fact]
    public void The_Orleans_host_reads_its_options()
    {
        CoordinatorOptions options = Read(
            ("ConnectionStrings:Coordinator", Database), ("Coordinator:Host", "Orleans"), ("Coordinator:Orleans:Zone", "east"),
            ("Coordinator:Orleans:Endpoint", "10.0.0.1:11111"), ("Coordinator:Orleans:Databases:a", "Host=a"),
            ("Coordinator:Orleans:Databases:b", "Host=b"), ("Coordinator:Orleans:Databases:c", "Host=c"),
            ("Coordinator:Groups", "16"), ("Coordinator:Orleans:ReplaceLostPeersAfter", "5m"));
        Assert.Equal(16, options.Groups);
        Assert.Equal(TimeSpan.FromMinutes(5), options.Orleans!.ReplaceLostPeersAfter);
        Assert.Equal("east", options.Orleans.Zone);
        Assert.Equal("10.0.0.1:11111", options.Orleans.Endpoint.ToString());
        Assert.Equal(["a", "b", "c"], options.Orleans.Databases.Keys.Order());
        Assert.Null(options.Cluster);
    }

    [Theory]
    [InlineData("Coordinator:Orleans:Endpoint", "silo1:11111", "Coordinator:Orleans:Endpoint")]
    [InlineData("Coordinator:Orleans:Databases:a", "Hostt=a", "Coordinator:Orleans:Databases:a")]
    [InlineData("Coordinator:Orleans:ReplaceLostPeersAfter", "1s", "a time from 5s to 24h")]
    [InlineData("Coordinator:Orleans:GatewayPort", "0", "Coordinator:Orleans:GatewayPort")]
    [InlineData("ConnectionStrings:Coordinator", "", "ConnectionStrings:Coordinator is missing")]
    [InlineData("Coordinator:Cluster:SiloId", "silo1", "Coordinator:Host is Orleans")]
    public void A_bad_option_of_the_Orleans_host_is_refused_by_name(string name, string value, string named)
    {
        StartupException refused = Assert.Throws<StartupException>(() => Read(
            ("ConnectionStrings:Coordinator", Database), ("Coordinator:Host", "Orleans"), (name, value)));
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }
#else
    [Fact]
    public void The_Orleans_host_is_refused_by_name_in_a_program_built_without_it()
    {
        StartupException refused = Assert.Throws<StartupException>(() => Read(
            ("ConnectionStrings:Coordinator", Database), ("Coordinator:Host", "Orleans")));
        Assert.Contains("Coordinator:Host is Orleans", refused.Message, StringComparison.Ordinal);
        Assert.Contains("-p:Orleans=true", refused.Message, StringComparison.Ordinal);
    }

    [Fact(Skip = "The tests in Orleans/ need the Microsoft.Orleans packages: dotnet test -p:Orleans=true runs them.")]
    public void The_Orleans_host_is_tested_in_a_build_with_Orleans()
    {
    }
#endif

    private static CoordinatorOptions Read(params (string Name, string Value)[] settings) => OptionsReader.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))
                .Reverse().DistinctBy(setting => setting.Key))
            .Build());
}
