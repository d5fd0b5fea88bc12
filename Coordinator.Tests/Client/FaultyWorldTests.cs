using Coordinator.Client.Machine;

namespace Coordinator.Tests.Client;

/// <summary>The machine among faults: what must hold whatever happens.</summary>
public sealed class FaultyWorldTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_two_clients_rely_on_one_lock_and_nothing_is_held_or_waited_for_in_the_end(int part)
    {
        for (int seed = part * 1000; seed < part * 1000 + 60; seed++)
        {
            try
            {
                Play(seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }
    }

    private static void Play(int seed)
    {
        FaultyWorld world = new(seed, clients: 3);
        Dictionary<string, long> lastToken = [];
        int submitted = 0;
        foreach (FaultyClient client in world.Clients)
        {
            client.OnCompleted = (_, completion) =>
            {
                if (completion is not Completion.Acquired { Holding: var holding })
                    return;
                Assert.True(holding.Token > lastToken.GetValueOrDefault(holding.Name), "A token went back.");
                lastToken[holding.Name] = holding.Token;
                world.After(world.Delay(300), () => client.Release(holding));
            };
            for (int i = 0; i < 40; i++)
                world.After(world.Delay(30_000), () => submitted += SubmitOne(world, client));
            for (int i = 0; i < 3; i++)
                world.After(world.Delay(30_000), client.Break);
            world.After(world.Delay(30_000), () => client.JumpWall(world.Delay(4000) - TimeSpan.FromSeconds(2)));
        }
        world.After(world.Delay(30_000), () => world.BeginOutage(world.Delay(8000)));

        world.Run(TimeSpan.FromSeconds(30), () => CheckExclusion(world));
        world.IsCalm = true;
        world.Run(TimeSpan.FromSeconds(90), () => CheckExclusion(world));

        Assert.True(submitted > 0);
        Assert.Empty(world.Cluster.Held);
        Assert.Equal(0, world.Cluster.Waiting);
        // Each acquire and release was told its end, once.
        Assert.True(world.Clients.Sum(client => client.Completed.Count) >= submitted);
        Assert.All(world.Cluster.Sessions.Values, session => Assert.True(session.Results < 100));
    }

    private static int SubmitOne(FaultyWorld world, FaultyClient client)
    {
        TimeSpan wait = world.Random.Next(4) switch
        {
            0 => TimeSpan.Zero,
            1 => Timeout.InfiniteTimeSpan,
            _ => world.Delay(2000),
        };
        AcquireOperation acquire = new(world.Random.Next(2) == 0 ? "a" : "b", wait);
        client.Submit(acquire, acquire);
        if (world.Random.Next(3) == 0)
            world.After(world.Delay(500), () => client.Cancel(acquire));
        return 1;
    }

    private static void CheckExclusion(FaultyWorld world)
    {
        List<Holding> believed = [.. world.Clients.SelectMany(client => client.Believed)];
        foreach (Holding holding in believed)
        {
            Assert.Single(believed, other => other.Name == holding.Name);
            Assert.Contains((holding.Name, holding.Session.Id, holding.Token), world.Cluster.Held);
        }
    }
}
