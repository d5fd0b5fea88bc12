using Coordinator.Client;
using Coordinator.Tests.Architecture;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Client;

/// <summary>The page's examples: they compile here, and what compiles here is what the page shows.</summary>
public sealed class ClientPageTests
{
    [Fact]
    public void The_pages_examples_are_those_that_compile_here()
    {
        string page = File.ReadAllText(System.IO.Path.Combine(RepositoryRoot.Path, "docs", "client.md"));
        string source = File.ReadAllText(
            System.IO.Path.Combine(RepositoryRoot.Path, "Coordinator.Tests", "Client", "ClientPageTests.cs"));
        string[] compiled = Words(source);
        string[] examples = [.. page.Split("```csharp").Skip(1).Select(part => part.Split("```")[0])];

        Assert.Equal(8, examples.Length);
        Assert.All(examples, example => Assert.Contains(
            string.Join(' ', Words(example)), string.Join(' ', compiled), StringComparison.Ordinal));
    }

    private static string[] Words(string text) =>
        text.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);

    // Never called: these need a silo. Each member that they use is tried against a real one elsewhere.
    private static async Task BuildAsync(ILoggerFactory loggers)
    {
        await using CoordinatorClient client = new CoordinatorClientBuilder()
            .AddEndpoint("http://127.0.0.1:7400")
            .WithSessionTtl(TimeSpan.FromSeconds(30))
            .WithLoggerFactory(loggers)
            .Build();
    }

    private static async Task UseAsync(CoordinatorClient client)
    {
        AcquireOptions options = new() { Wait = TimeSpan.FromSeconds(30), MaxHold = TimeSpan.FromMinutes(5), Label = "nightly" };
        await using (LockHandle both = await client.Locks.AcquireAllAsync(["orders/42", "orders/stock"], options))
            await ShipAsync(both.FencingToken, both.LostToken);

        if (await client.Locks.DescribeAsync("orders/42") is { } busy)
            Console.WriteLine(busy);
        await client.Locks.RequestReleaseAsync("orders/42", "maintenance at noon");
        await client.Locks.ForceReleaseAsync("orders/42", "its holder hangs");

        await using ReaderWriterLockHandle handle =
            await client.ReaderWriterLocks.AcquireReadLockAsync("prices", TimeSpan.FromSeconds(5));
        await handle.UpgradeAsync(TimeSpan.FromSeconds(5));
        await StorePricesAsync(handle.FencingToken);
        await handle.DowngradeAsync();

        await using SemaphoreHandle permit = await client.Semaphores.AcquireAsync("imports", limit: 3);

        await using LeadershipHandle leadership = await client.Elections.CampaignAsync("scheduler", "http://host-1");
        await leadership.ProclaimAsync("http://host-1:8080");

        await foreach (Leader? leader in client.Elections.ObserveAsync("scheduler"))
            Console.WriteLine(leader?.Value ?? "nobody leads");

        await using LeaseHandle lease = await client.Leases.AcquireAsync("reports", "job-7", TimeSpan.FromMinutes(1));
        await client.Leases.RenewAsync("reports", lease.FencingToken);

        await using CoordinatorSession session = await client.Sessions.CreateAsync(TimeSpan.FromSeconds(10), "import worker");
        await using LockHandle ofItsOwn = await session.Locks.AcquireAsync("orders/42");
        await foreach (SessionDescription other in client.Sessions.ListAsync())
            Console.WriteLine($"{other.Id}: {other.Metadata}");

        await client.Configuration.PutAsync("orders/currency", "EUR");
    }

    private static Task<long> ShipAsync(long fencingToken, CancellationToken lost) =>
        lost.IsCancellationRequested ? Task.FromCanceled<long>(lost) : Task.FromResult(fencingToken);

    private static Task<long> StorePricesAsync(long fencingToken) => Task.FromResult(fencingToken);
}
