using System.Diagnostics;
using System.Globalization;
using Coordinator.Client;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// A well-behaved client beside the hostile ones: it holds a lock for the whole run, and writes and reads a key in a
/// loop. None of that may fail, and its requests stay quick.
/// </summary>
internal sealed class Bystander : IAsyncDisposable
{
    private const string Key = "bystander/key";

    private readonly CoordinatorClient _client;
    private readonly LockHandle _held;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<TimeSpan> _times = [];
    private readonly Task _loop;

    private Bystander(CoordinatorClient client, LockHandle held)
    {
        _client = client;
        _held = held;
        _loop = Task.Run(LoopAsync);
    }

    public static async Task<Bystander> StartAsync(Uri address)
    {
        CoordinatorClient client = new(new CoordinatorClientOptions { Endpoints = [address.ToString()] });
        return new Bystander(client, await client.Locks.AcquireAsync("bystander/lock", TimeSpan.FromSeconds(30)));
    }

    public long SessionId => _held.SessionId;

    public bool HoldsItsLock => !_held.LostToken.IsCancellationRequested;

    /// <summary>Ends the loop, and throws what it ran into.</summary>
    /// <returns>The time within which 99 of 100 requests were answered.</returns>
    public async Task<(TimeSpan P99, int Requests)> StopAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _times.Sort();
        return (_times[(int)(_times.Count * 0.99)], _times.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await ((Task)_loop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _client.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task LoopAsync()
    {
        for (int value = 1; !_stopping.IsCancellationRequested; value++)
        {
            string text = value.ToString(CultureInfo.InvariantCulture);
            await TimedAsync(() => _client.Configuration.PutAsync(Key, text, cancellationToken: CancellationToken.None));
            ConfigEntry? entry = null;
            await TimedAsync(async () => entry = await _client.Configuration.GetAsync(Key));
            if (entry?.GetString() != text)
                throw new FuzzFinding($"The bystander wrote {text} and read {entry?.GetString()}.");
        }
    }

    private async Task TimedAsync(Func<Task> request)
    {
        long from = Stopwatch.GetTimestamp();
        await request();
        _times.Add(Stopwatch.GetElapsedTime(from));
    }
}
