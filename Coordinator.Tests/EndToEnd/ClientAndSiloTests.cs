using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Coordinator.Client;
using Coordinator.Silo.Postgres;

namespace Coordinator.Tests.EndToEnd;

/// <summary>The real client and plain HTTP against a real silo, with something killed in the middle.</summary>
[Collection(SiloProcesses.Name)]
public sealed class ClientAndSiloTests
{
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task A_lock_held_while_the_silo_is_killed_is_held_by_the_same_token_after_it()
    {
        using SiloHome home = new();
        SiloProcess first = SiloProcess.Start(home);
        await first.ReadyAsync();
        await using CoordinatorClient client = ClientOf(home);
        LockHandle handle = await client.Locks.AcquireAsync("orders/42", TimeSpan.FromSeconds(5));

        await first.KillAsync();
        await first.DisposeAsync();
        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();

        JsonNode holder = (await GetJsonAsync(home, "/v1/locks/orders/42"))["holders"]![0]!;
        Assert.Equal(handle.FencingToken, holder["token"]!.GetValue<long>());
        await using CoordinatorClient other = ClientOf(home);
        Assert.Null(await other.Locks.TryAcquireAsync("orders/42"));
        Assert.False(handle.LostToken.IsCancellationRequested);

        await handle.DisposeAsync();
        await using LockHandle next = await other.Locks.AcquireAsync("orders/42", TimeSpan.FromSeconds(5));
        Assert.True(next.FencingToken > handle.FencingToken);
    }

    [Fact]
    public async Task A_wait_that_a_kill_interrupts_goes_on_and_is_granted_in_its_turn()
    {
        using SiloHome home = new();
        SiloProcess first = SiloProcess.Start(home);
        await first.ReadyAsync();
        await using CoordinatorClient holder = ClientOf(home);
        await using CoordinatorClient waiter = ClientOf(home);
        LockHandle handle = await holder.Locks.AcquireAsync("line", TimeSpan.FromSeconds(5));
        Task<LockHandle> waiting = waiter.Locks.AcquireAsync("line", Timeout.InfiniteTimeSpan);
        await UntilAsync(async () => (await GetJsonAsync(home, "/v1/locks/line"))["waiters"]!.AsArray().Count == 1);

        await first.KillAsync();
        await first.DisposeAsync();
        await using SiloProcess second = SiloProcess.Start(home);
        await second.ReadyAsync();
        Assert.Single((await GetJsonAsync(home, "/v1/locks/line"))["waiters"]!.AsArray());

        await handle.DisposeAsync();
        await using LockHandle granted = await waiting.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(granted.FencingToken > handle.FencingToken);
    }

    [Fact]
    public async Task A_session_of_a_dead_client_expires_and_its_lock_goes_to_the_next_in_line()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        JsonNode session = await PostJsonAsync(home, "/v1/sessions", new { ttlSeconds = 1 });
        JsonNode grant = await PostJsonAsync(
            home, "/v1/locks/a/b/acquire", new { sessionId = session["sessionId"]!.GetValue<string>() });
        await using CoordinatorClient client = ClientOf(home);

        await using LockHandle handle = await client.Locks.AcquireAsync("a/b", TimeSpan.FromSeconds(30));

        Assert.True(handle.FencingToken > grant["token"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_caller_who_hangs_up_while_he_waits_leaves_no_place_in_line()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        await using CoordinatorClient holder = ClientOf(home);
        await using LockHandle handle = await holder.Locks.AcquireAsync("line", TimeSpan.FromSeconds(5));
        string session = (await PostJsonAsync(home, "/v1/sessions", new { ttlSeconds = 60 }))["sessionId"]!.GetValue<string>();
        using (var hangUp = new CancellationTokenSource())
        {
            Task waiting = PostJsonAsync(
                home, "/v1/locks/line/acquire", new { sessionId = session, waitSeconds = 60 }, hangUp.Token);
            await UntilAsync(async () => (await GetJsonAsync(home, "/v1/locks/line"))["waiters"]!.AsArray().Count == 1);
            await hangUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        await UntilAsync(async () => (await GetJsonAsync(home, "/v1/locks/line"))["waiters"]!.AsArray().Count == 0);
    }

    [Fact]
    public async Task A_database_that_is_killed_under_load_loses_no_acknowledged_write_and_the_peers_come_back()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        await using CoordinatorClient client = ClientOf(home);
        for (int round = 1; round <= 3; round++)
        {
            using var stopping = new CancellationTokenSource();
            Task<int> writing = WriteUntilAsync(client, $"round/{round}", stopping.Token);
            await UntilAsync(async () => await client.Configuration.GetAsync($"round/{round}") is not null);
            using Postmaster postmaster = home.FindPostmaster()!;
            UnixSignals.Send(postmaster.Pid, UnixSignal.Kill);
            await client.Configuration.PutAsync($"after/{round}", "served again");
            await stopping.CancelAsync();
            int acknowledged = await writing;

            await AssertKeptAsync(client, $"round/{round}", acknowledged);
        }

        JsonNode status = await GetJsonAsync(home, "/v1/status");
        Assert.DoesNotContain(
            status["groups"]![0]!["peers"]!.AsArray(),
            peer => peer!["state"]!.GetValue<string>() is "stopped" or "quarantined");
    }

    [Fact]
    public async Task Backends_that_are_terminated_under_load_cost_no_acknowledged_write()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        await using CoordinatorClient client = ClientOf(home);
        using var stopping = new CancellationTokenSource();
        Task<int> writing = WriteUntilAsync(client, "key", stopping.Token);
        for (int round = 1; round <= 5; round++)
        {
            await client.Configuration.PutAsync($"before/{round}", "x");
            await using Npgsql.NpgsqlConnection admin = await home.ConnectAsync();
            await using var terminate = new Npgsql.NpgsqlCommand(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                + "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'", admin);
            Assert.True(await terminate.ExecuteScalarAsync() is > 0L);
        }
        await client.Configuration.PutAsync("after", "served again");
        await stopping.CancelAsync();
        int acknowledged = await writing;

        await AssertKeptAsync(client, "key", acknowledged);
    }

    [Fact]
    public async Task Backends_that_stand_still_past_the_watchdog_make_requests_wait_and_cost_no_acknowledged_write()
    {
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        await using CoordinatorClient client = ClientOf(home);
        using var stopping = new CancellationTokenSource();
        Task<int> writing = WriteUntilAsync(client, "key", stopping.Token);
        await UntilAsync(async () => await client.Configuration.GetAsync("key") is not null);
        int[] backends = await BackendsAsync(home);
        Assert.NotEmpty(backends);
        foreach (int backend in backends)
            UnixSignals.Send(backend, UnixSignal.Stop);
        try
        {
            // The watchdog closes the sockets; a backend that stopped in the middle of a write may hold its row's lock.
            await silo.WroteAsync("activates again");
        }
        finally
        {
            foreach (int backend in backends)
                UnixSignals.Send(backend, UnixSignal.Continue);
        }
        await client.Configuration.PutAsync("after", "served again");
        await stopping.CancelAsync();
        int acknowledged = await writing;

        await AssertKeptAsync(client, "key", acknowledged);
    }

    /// <summary>The last acknowledged write is there, or the one that was under way after it.</summary>
    private static async Task AssertKeptAsync(CoordinatorClient client, string key, int acknowledged)
    {
        ConfigEntry entry = (await client.Configuration.GetAsync(key))!;
        Assert.InRange(int.Parse(entry.GetString()), acknowledged, acknowledged + 1);
    }

    private static async Task<int[]> BackendsAsync(SiloHome home)
    {
        await using Npgsql.NpgsqlConnection admin = await home.ConnectAsync();
        await using var list = new Npgsql.NpgsqlCommand(
            "SELECT array_agg(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
            admin);
        return (int[])(await list.ExecuteScalarAsync())!;
    }

    private static CoordinatorClient ClientOf(SiloHome home) => new(new CoordinatorClientOptions
    {
        Endpoints = [home.Address.ToString()],
        SessionTtl = TimeSpan.FromSeconds(30),
        RequestTimeout = TimeSpan.FromSeconds(60),
    });

    /// <summary>The last value that was acknowledged; each write is one more than the one before.</summary>
    private static async Task<int> WriteUntilAsync(CoordinatorClient client, string key, CancellationToken stopping)
    {
        int value = 0;
        while (!stopping.IsCancellationRequested)
        {
            await client.Configuration.PutAsync(key, $"{value + 1}", cancellationToken: CancellationToken.None);
            value++;
        }
        return value;
    }

    private static async Task<JsonNode> GetJsonAsync(SiloHome home, string path)
    {
        using HttpResponseMessage answer = await Http.GetAsync(new Uri(home.Address, path));
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    private static async Task<JsonNode> PostJsonAsync(
        SiloHome home, string path, object body, CancellationToken cancellationToken = default)
    {
        using HttpResponseMessage answer =
            await Http.PostAsJsonAsync(new Uri(home.Address, path), body, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
            await Task.Delay(20, patience.Token);
    }
}
