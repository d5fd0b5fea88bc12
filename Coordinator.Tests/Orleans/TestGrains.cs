using Coordinator.Client;
using Coordinator.Client.Orleans;
using Orleans;
using Orleans.Runtime;

namespace Coordinator.Tests.Orleans;

/// <summary>A grain of somebody's application that uses Coordinator in its calls.</summary>
public interface IOrderGrain : IGrainWithStringKey
{
    Task<long> AddUnderLockAsync(string key);

    Task<bool> TryLeaseAsync(string name);

    Task<string?> CampaignAsync(string election, string value);
}

public sealed class OrderGrain : Grain, IOrderGrain
{
    private CoordinatorClient Coordinator => GrainFactory.GetCoordinator();

    public async Task<long> AddUnderLockAsync(string key)
    {
        await using LockHandle held = await Coordinator.Locks.AcquireAsync($"{key}/lock", TimeSpan.FromSeconds(20));
        long value = long.Parse(
            (await Coordinator.Configuration.GetAsync(key))?.GetString() ?? "0", System.Globalization.CultureInfo.InvariantCulture) + 1;
        await Coordinator.Configuration.PutAsync(key, $"{value}");
        return value;
    }

    public async Task<bool> TryLeaseAsync(string name) =>
        await Coordinator.Leases.TryAcquireAsync(name, this.GetPrimaryKeyString(), TimeSpan.FromSeconds(30)) is not null;

    public async Task<string?> CampaignAsync(string election, string value)
    {
        await using LeadershipHandle leads = await Coordinator.Elections.CampaignAsync(election, value);
        return (await Coordinator.Elections.GetLeaderAsync(election))?.Value;
    }
}

/// <summary>A grain that is to be the only one that writes.</summary>
public interface IAccountGrain : IGrainWithStringKey
{
    Task<(long Token, long Balance)> DepositAsync(long amount);

    Task<(long Token, long Balance)> GetAsync();

    Task LeaveAsync();
}

public sealed class AccountGrain(
    [PersistentState("account")] IPersistentState<FencedState<long>> account) : FencedGrain, IAccountGrain
{
    public async Task<(long Token, long Balance)> DepositAsync(long amount)
    {
        await WriteAsync(account, account.State.Value + amount);
        return (FencingToken, account.State.Value);
    }

    public Task<(long Token, long Balance)> GetAsync() => Task.FromResult((account.State.Token, account.State.Value));

    public Task LeaveAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}
