using System.Net;
using System.Text;
using Coordinator.Silo.Hosting;
using Microsoft.Extensions.Configuration;

namespace Coordinator.Tests.Silo;

public sealed class ClusterOptionsReaderTests
{
    private static readonly (string Name, string Value)[] Good =
    [
        ("Host", "Cluster"),
        ("Cluster:Secret", "sixteen bytes or more"),
        ("Cluster:SiloId", "b"),
        .. Silo(0, "a"), .. Silo(1, "b"), .. Silo(2, "c"),
    ];

    [Fact]
    public void A_silo_listens_for_the_others_where_they_call_it()
    {
        ClusterOptions cluster = Read(Good).Cluster!;
        Assert.Equal("coordinator", cluster.Name);
        Assert.Equal("b", cluster.SiloId);
        Assert.Equal("sixteen bytes or more", Encoding.UTF8.GetString(cluster.Secret.Span));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7501), cluster.LinkListen);
        Assert.Equal(
            [
                new ClusterSilo("a", new Uri("ws://127.0.0.1:7500"), new Uri("http://127.0.0.1:7400")),
                new ClusterSilo("b", new Uri("ws://127.0.0.1:7501"), new Uri("http://127.0.0.1:7401")),
                new ClusterSilo("c", new Uri("ws://127.0.0.1:7502"), new Uri("http://127.0.0.1:7402")),
            ],
            cluster.Silos);
    }

    [Fact]
    public void Behind_a_name_it_is_told_where_to_listen()
    {
        ClusterOptions cluster = Read(
            [.. Good, ("Cluster:Silos:1:Link", "ws://b.example:7500"), ("Cluster:LinkListen", "ws://127.0.0.2:7500")]).Cluster!;
        Assert.Equal(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 7500), cluster.LinkListen);
    }

    [Fact]
    public void The_secret_may_stand_in_a_file_with_a_line_end()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "a secret in a file\n");
            ClusterOptions cluster = Read([.. Good, ("Cluster:Secret", ""), ("Cluster:SecretFile", file)]).Cluster!;
            Assert.Equal("a secret in a file", Encoding.UTF8.GetString(cluster.Secret.Span));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Host", "cluster", "Embedded, Cluster or Orleans")]
    [InlineData("Host", "Embedded", "set Coordinator:Host to Cluster")]
    [InlineData("Cluster:Secret", "short", "has 5 bytes: it needs at least 16")]
    [InlineData("Cluster:SecretFile", "/nowhere/secret", "both given")]
    [InlineData("Cluster:SiloId", "d", "the Id of one of Coordinator:Cluster:Silos (a, b, c)")]
    [InlineData("Cluster:Silos:0:Id", "b", "two silos with the same Id")]
    [InlineData("Cluster:Silos:0:Id", "", "Silos:0:Id is missing")]
    [InlineData("Cluster:Silos:0:Link", "http://127.0.0.1:1", "ws://HOST:PORT")]
    [InlineData("Cluster:Silos:0:Url", "127.0.0.1:1", "http://HOST:PORT")]
    [InlineData("Cluster:Silos:3:Id", "d", "Silos:3:Link is missing")]
    [InlineData("Cluster:ReplaceLostPeersAfter", "1s", "a time from 5s to 24h")]
    [InlineData("Cluster:Silos:1:Link", "ws://b.example:7500", "LinkListen is needed")]
    [InlineData("Cluster:LinkListen", "127.0.0.1:7500", "no address to listen on")]
    [InlineData("Cluster:LinkListen", "ws://*:7500", "AllowInsecure")]
    [InlineData("Cluster:Nme", "x", "Coordinator:Cluster:Nme is not an option")]
    [InlineData("Cluster:Silos:0:Name", "x", "Coordinator:Cluster:Silos:0:Name is not an option")]
    public void What_is_wrong_is_said(string name, string value, string expected)
    {
        StartupException refusal = Assert.Throws<StartupException>(() => Read([.. Good, (name, value)]));
        Assert.Equal(ExitCode.BadOptions, refusal.ExitCode);
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sixteen bytes", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_the_command_line_names_counts_over_the_programs_own_and_under_its_other_words()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{ "Coordinator": { "Listen": "http://127.0.0.1:1", "DataFolder": "/from/the/file" } }""");
            CoordinatorOptions options = OptionsReader.Read(
                SiloConfiguration.Load(["--config", file, "--listen", "http://127.0.0.1:2"]));
            Assert.Equal(2, options.Listen.Port);
            Assert.Equal("/from/the/file", options.DataFolder);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        StartupException refusal = Assert.Throws<StartupException>(() => SiloConfiguration.Load(["--config=/nowhere/silo.json"]));
        Assert.Contains("/nowhere/silo.json", refusal.Message, StringComparison.Ordinal);
    }

    private static (string, string)[] Silo(int index, string id) =>
    [
        ($"Cluster:Silos:{index}:Id", id),
        ($"Cluster:Silos:{index}:Link", $"ws://127.0.0.1:{7500 + index}"),
        ($"Cluster:Silos:{index}:Url", $"http://127.0.0.1:{7400 + index}"),
    ];

    /// <summary>The last of two values of one name counts.</summary>
    private static CoordinatorOptions Read((string Name, string Value)[] settings) => OptionsReader.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.GroupBy(setting => setting.Name)
                .Select(same => KeyValuePair.Create($"Coordinator:{same.Key}", (string?)same.Last().Value)))
            .Build());
}
