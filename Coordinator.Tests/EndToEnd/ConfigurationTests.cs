using Coordinator.Client;
using Coordinator.Contracts;
using ConfigEntry = Coordinator.Client.ConfigEntry;

namespace Coordinator.Tests.EndToEnd;

/// <summary>The client's configuration members against a real silo.</summary>
[Collection(SiloProcesses.Name)]
public sealed class ConfigurationTests
{
    [Fact]
    public async Task Settings_with_conditions_history_and_transactions_are_what_the_documentation_says()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        await using CoordinatorClient client = new(home.Address.ToString());
        CoordinatorConfiguration configuration = client.Configuration;

        await ConditionsAsync(configuration);
        await TransactionsAsync(configuration);
        await HistoryAsync(configuration);
        await PagesAsync(configuration);
        await BoundKeysAsync(home, configuration);
    }

    private static async Task ConditionsAsync(CoordinatorConfiguration configuration)
    {
        ConfigRevision first = await configuration.PutAsync("c/a", "1", new() { MustNotExist = true });
        Assert.Equal(1, first.Version);
        await Assert.ThrowsAsync<ConditionFailedException>(
            () => configuration.PutAsync("c/a", "2", new() { MustNotExist = true }));
        ConfigRevision second = await configuration.PutAsync("c/a", "2", new() { ExpectedVersion = 1 });
        await Assert.ThrowsAsync<ConditionFailedException>(
            () => configuration.PutAsync("c/a", "3", new() { ExpectedRevision = first.Revision }));
        await configuration.PutAsync("c/a", "3", new() { ExpectedRevision = second.Revision });
        await Assert.ThrowsAsync<ConditionFailedException>(
            () => configuration.DeleteAsync("c/a", new() { ExpectedVersion = 2 }));
        Assert.True(await configuration.DeleteAsync("c/a", new() { ExpectedVersion = 3 }));
        Assert.False(await configuration.DeleteAsync("c/a"));

        await configuration.PutJsonAsync("c/json", new List<int> { 1, 2 });
        ConfigEntry entry = (await configuration.GetAsync("c/json", new() { Consistency = ReadConsistency.Serializable }))!;
        Assert.Equal("application/json", entry.ContentType);
        Assert.Equal([1, 2], entry.GetJson<List<int>>()!);
    }

    private static async Task TransactionsAsync(CoordinatorConfiguration configuration)
    {
        await configuration.PutAsync("t/stock", "12");
        ConfigTransaction order = configuration.Transaction()
            .If(Check.Version("t/stock").Is(1), Check.Value("t/stock").Is("12"), Check.Missing("t/order"))
            .Then(Step.Get("t/stock"), Step.Put("t/stock", "11"), Step.Put("t/order", "1"), Step.Delete("t/none"))
            .Else(Step.Get("t/stock"), Step.Get("t/none"));

        TransactionResult done = await order.ExecuteAsync();
        Assert.True(done.Succeeded);
        Assert.Equal("12", done.Results![0].Entry!.GetString());
        Assert.Equal([0, 2, 1, 0], done.Results.Select(result => result.Version));
        TransactionResult late = await order.ExecuteAsync();
        Assert.False(late.Succeeded);
        Assert.Equal("11", late.Results![0].Entry!.GetString());
        Assert.Null(late.Results[1].Entry);
        Assert.Equal(done.Revision, late.Revision);

        TransactionResult swept = await configuration.Transaction()
            .If(
                Check.Exists("t/order"), Check.Version("t/stock").IsGreaterThan(1), Check.Version("t/stock").IsNot(3),
                Check.CreateRevision("t/stock").IsLessThan(done.Revision),
                Check.ModifyRevision("t/stock").Is(done.Revision),
                Check.Value("t/stock").IsLessThan("2"u8), Check.Value("t/stock").IsGreaterThan("1"u8),
                Check.Value("t/stock").IsNot("12"))
            .Then(Step.DeletePrefix("t/"))
            .ExecuteAsync();
        Assert.True(swept.Succeeded);
        Assert.Equal(2, Assert.Single(swept.Results!).DeletedKeys);

        await Assert.ThrowsAsync<ArgumentException>(() => configuration.Transaction().ExecuteAsync());
        ArgumentException twice = await Assert.ThrowsAsync<ArgumentException>(() =>
            configuration.Transaction().Then(Step.Put("t/a", "1"), Step.Delete("t/a")).ExecuteAsync());
        Assert.Contains(nameof(ErrorCode.DuplicateKey), twice.Message, StringComparison.Ordinal);
    }

    private static async Task HistoryAsync(CoordinatorConfiguration configuration)
    {
        ConfigRevision green = await configuration.PutAsync("h/colour", "green");
        await configuration.PutAsync("h/colour", "blue");
        await configuration.PutAsync("h/size", "10");
        ReadOptions then = new() { Revision = green.Revision };

        Assert.Equal("green", (await configuration.GetAsync("h/colour", then))!.GetString());
        Assert.Null(await configuration.GetAsync("h/size", then));
        Assert.Equal(["h/colour"], await KeysAsync(configuration.ListAsync("h/", then)));
        Assert.Equal((2, 1), (await configuration.CountAsync("h/"), await configuration.CountAsync("h/", then)));
        ConfigSnapshot snapshot = await configuration.SnapshotAsync("h/", then);
        Assert.Equal((green.Revision, 1), (snapshot.Revision, snapshot.Entries.Count));

        long rolledBack = await configuration.RollBackAsync("h/", green.Revision);
        ConfigSnapshot now = await configuration.SnapshotAsync("h/");
        Assert.Equal(rolledBack, now.Revision);
        Assert.Equal("green", Assert.Single(now.Entries).GetString());
        CoordinatorException future = await Assert.ThrowsAsync<CoordinatorException>(
            () => configuration.GetAsync("h/colour", new() { Revision = rolledBack + 1 }));
        Assert.Equal(ErrorCode.RevisionInFuture, future.Code);

        await configuration.CompactAsync(rolledBack);
        await configuration.CompactAsync(rolledBack);
        RevisionCompactedException gone = await Assert.ThrowsAsync<RevisionCompactedException>(
            () => configuration.GetAsync("h/colour", then));
        Assert.Equal(rolledBack, gone.CompactedRevision);
        await Assert.ThrowsAsync<RevisionCompactedException>(() => configuration.RollBackAsync("h/", green.Revision));
        await Assert.ThrowsAsync<CoordinatorException>(() => configuration.CompactAsync(rolledBack + 1));
    }

    private static async Task PagesAsync(CoordinatorConfiguration configuration)
    {
        // Three pages by bytes.
        for (int i = 0; i < 5; i++)
            await configuration.PutAsync($"p/{i}", new byte[500 * 1024]);
        List<ConfigEntry> listed = [];
        await foreach (ConfigEntry entry in configuration.ListAsync("p/"))
        {
            listed.Add(entry);
            await configuration.DeleteAsync("p/4");
        }
        Assert.Equal(["p/0", "p/1", "p/2", "p/3", "p/4"], listed.Select(entry => entry.Key));
        Assert.All(listed, entry => Assert.Equal(500 * 1024, entry.Value.Length));
        Assert.Equal(4, await configuration.CountAsync("p/"));
        await foreach (ConfigEntry entry in configuration.ListAsync("p/", new() { KeysOnly = true }))
            Assert.Equal(0, entry.Value.Length);
    }

    private static async Task BoundKeysAsync(SiloHome home, CoordinatorConfiguration configuration)
    {
        await using (CoordinatorClient node = new(home.Address.ToString()))
        {
            await node.Configuration.PutAsync("nodes/7", "10.0.0.7", new() { BindToSession = true });
            await node.Configuration.Transaction()
                .Then(Step.Put("nodes/8", "10.0.0.8", bindToSession: true))
                .ExecuteAsync();
            Assert.Equal(node.SessionId, (await configuration.GetAsync("nodes/7"))!.SessionId);
            Assert.Equal(2, await configuration.CountAsync("nodes/"));
        }
        Assert.Equal(0, await configuration.CountAsync("nodes/"));
    }

    private static async Task<List<string>> KeysAsync(IAsyncEnumerable<ConfigEntry> entries)
    {
        List<string> keys = [];
        await foreach (ConfigEntry entry in entries)
            keys.Add(entry.Key);
        return keys;
    }
}
