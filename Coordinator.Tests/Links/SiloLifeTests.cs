using Coordinator.Contracts;
using Coordinator.Silo.Links;

namespace Coordinator.Tests.Links;

/// <summary>Rule 27: one live process holds a silo's id.</summary>
public sealed class SiloLifeTests
{
    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "a")]
    public async Task A_second_process_with_a_silos_id_is_refused_by_name_while_the_first_one_lives(string id, string other)
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        LinkedSilo holder = silos.Single(silo => silo.Id == id), witness = silos.Single(silo => silo.Id == other);

        LinkedSilo second = await cluster.StartAsideAsync(id, Direct(witness));
        await LinkedCluster.UntilAsync(() => second.Refused.Count > 2);
        Assert.All(second.Refused, refused => Assert.Equal((other, LinkRefusal.SiloIdTaken), refused));
        Assert.True(second.Logged("Another process is silo"));
        Assert.False(second.IsUp(other));
        Assert.Equal([$"up {other}"], holder.Events);
        Assert.Equal([$"up {id}"], witness.Events);
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "a")]
    public async Task A_silo_that_was_started_anew_takes_the_place_of_its_dead_predecessor(string id, string other)
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync(options => options with
        {
            DeadAfter = TimeSpan.FromMinutes(5),
            AliveWait = TimeSpan.FromMilliseconds(300),
        });
        LinkedSilo witness = silos.Single(silo => silo.Id == other);
        // The dead one's connection stays open: its machine has lost its power, and closes nothing.
        cluster.Relay("a", "b").GoSilent();
        cluster.Relay("a", "b").Target = null;

        LinkedSilo successor = await cluster.StartAsideAsync(id, Direct(witness));
        await LinkedCluster.UntilAsync(() => witness.Events.Contains($"lost {id}"));
        if (id == "b")
        {
            cluster.Relay("a", "b").Target = successor.Links.Address;
            cluster.Relay("a", "b").Speak();
        }
        await LinkedCluster.UntilAsync(() => witness.Events.Count == 3);
        Assert.Equal([$"up {id}", $"lost {id}", $"up {id}"], witness.Events);
        await LinkedCluster.UntilAsync(() => successor.IsUp(other));
        successor.Links.Send(other, EnvelopeSource.Small(1, 77));
        await LinkedCluster.UntilAsync(() => witness.Received.Any(item => item.Envelope.Message.Index == 77));
    }

    [Fact]
    public async Task A_silo_that_stopped_gives_its_id_to_the_next()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        await silos[0].Links.StopAsync();
        LinkedSilo next = await cluster.StartAsync("a");
        await LinkedCluster.UntilLinkedAsync(next, silos[1]);
        Assert.Empty(next.Refused);
    }

    [Fact]
    public async Task A_silo_that_comes_back_is_linked_at_once_whatever_the_pause_of_whoever_opens_the_link()
    {
        await using LinkedCluster cluster = new("a", "b");
        TimeSpan never = TimeSpan.FromHours(1);
        LinkedSilo a = await cluster.StartAsync("a", options => options with { BackoffMin = never, BackoffMax = never });
        await LinkedCluster.UntilAsync(() => a.Logged("not reached"));
        LinkedSilo b = await cluster.StartAsync("b");
        await LinkedCluster.UntilLinkedAsync(a, b);
    }

    [Fact]
    public async Task Silos_that_start_together_have_one_link_for_each_pair()
    {
        for (int round = 0; round < 10; round++)
        {
            await using LinkedCluster cluster = new("a", "b", "c");
            LinkedSilo[] silos = await Task.WhenAll(cluster.StartAsync("a"), cluster.StartAsync("b"), cluster.StartAsync("c"));
            await LinkedCluster.UntilLinkedAsync(silos);
            Assert.All(silos, silo => Assert.Equal(2, silo.Events.Count));
            Assert.All(silos, silo => Assert.Empty(silo.Refused));
        }
    }

    private static Func<LinkOptions, LinkOptions> Direct(LinkedSilo other) => options => options with
    {
        Peers = [new LinkPeer(other.Id, new Uri($"ws://{other.Links.Address}"))],
        AliveWait = TimeSpan.FromMilliseconds(300),
    };
}
