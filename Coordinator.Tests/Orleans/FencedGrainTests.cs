using Coordinator.Client;
using Coordinator.Client.Orleans;
using Coordinator.Tests.Postgres;
using Npgsql;

namespace Coordinator.Tests.Orleans;

/// <summary>Grains that hold a lock for as long as they are active.</summary>
[Collection(PostgresCollection.Name)]
public sealed class FencedGrainTests(PostgresServer server) : SiloScenario(server)
{
    private IAccountGrain Account => Running[0].Grains.GetGrain<IAccountGrain>("a");

    private CoordinatorClient Coordinator => Running[0].Grains.GetCoordinator();

    [Fact]
    public async Task What_a_grain_writes_has_its_token_which_grows_with_each_activation()
    {
        (long first, long balance) = await Account.DepositAsync(5).WaitAsync(Patience);
        Assert.Equal(5, balance);
        Assert.Equal((first, 5), await Account.GetAsync());
        await Account.LeaveAsync();
        (long second, balance) = await Account.DepositAsync(2).WaitAsync(Patience);
        Assert.True(second > first, $"{second} after {first}");
        Assert.Equal(7, balance);
    }

    [Fact]
    public async Task A_grain_whose_lock_is_lost_ends_its_activation_and_the_next_has_a_higher_token()
    {
        (long first, _) = await Account.DepositAsync(5).WaitAsync(Patience);
        Assert.Null(await Coordinator.Locks.TryAcquireAsync(LockName).WaitAsync(Patience));
        await Coordinator.Locks.ForceReleaseAsync(LockName, "a test").WaitAsync(Patience);
        (long Token, long Balance) after = default;
        long deposits = 0;
        await UntilAsync(
            async () =>
            {
                try
                {
                    // The old one's count too, as long as it has not heard of it and nobody else has written.
                    after = await Account.DepositAsync(1);
                    deposits++;
                }
                catch (FenceLostException)
                {
                    // It has heard of it, and is still there to say so.
                }
                return after.Token > first;
            },
            "another activation deposits");
        Assert.Equal(5 + deposits, after.Balance);
    }

    [Fact]
    public async Task An_activation_overwrites_nothing_that_a_later_token_has_written()
    {
        await Account.DepositAsync(5).WaitAsync(Patience);
        await Account.LeaveAsync();
        await using NpgsqlConnection connection = await Server.ConnectAsync(Database);
        await using var later = new NpgsqlCommand(
            """
            UPDATE coordinator_orleans.grain_state
            SET payload = convert_to(regexp_replace(convert_from(payload, 'UTF8'), '"Token":[0-9]+', '"Token":9000000000000000000'), 'UTF8')
            WHERE grain_type = 'account'
            """,
            connection);
        await UntilAsync(async () => await Coordinator.Locks.TryAcquireAsync(LockName) is { } free && await ReleasedAsync(free), "it has left");
        Assert.Equal(1, await later.ExecuteNonQueryAsync());
        await Assert.ThrowsAsync<FenceLostException>(() => Account.DepositAsync(1).WaitAsync(Patience));
        Assert.Equal(5, (await Account.GetAsync()).Balance);
    }

    private static string LockName => "grain/account/a";

    private static async Task<bool> ReleasedAsync(LockHandle held)
    {
        await held.DisposeAsync();
        return true;
    }
}
