using System.Diagnostics;
using Coordinator.Client;

namespace Coordinator.Benchmarks;

/// <summary>A first look at the whole path: client, connection, leader, quorum, PostgreSQL.</summary>
internal static class SmokeBenchmark
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] args)
    {
        if (!TryParse(args, out TimeSpan duration, out string? address))
        {
            Console.Error.WriteLine("smoke takes --seconds N (1 to 600) and --listen ADDRESS.");
            return 2;
        }
        await using SiloUnderTest? own = address is null ? await SiloUnderTest.StartAsync() : null;
        await using var client = new CoordinatorClient(address ?? own!.Address);
        Console.WriteLine($"{"operation",-16} {"workers",8} {"ops/s",10} {"p50 ms",8} {"p99 ms",8} {"max ms",8} {"ops",9}");
        foreach (int workers in (int[])[1, 100])
        {
            await MeasureAsync("acquire+release", workers, duration, async worker =>
            {
                await using LockHandle handle = await client.Locks.AcquireAsync($"bench/{worker}", TimeSpan.FromSeconds(30));
            });
        }
        byte[] value = new byte[100];
        foreach (int workers in (int[])[1, 100])
        {
            await MeasureAsync("put 100 B", workers, duration, async worker =>
                await client.Configuration.PutAsync($"bench/{worker}", value));
        }
        foreach (int workers in (int[])[1, 100])
        {
            await MeasureAsync("get", workers, duration, async worker =>
                await client.Configuration.GetAsync($"bench/{worker}"));
        }
        return 0;
    }

    private static async Task MeasureAsync(string name, int workers, TimeSpan duration, Func<int, Task> operation)
    {
        await RunWorkersAsync(workers, WarmUp, operation);
        long startedAt = Stopwatch.GetTimestamp();
        List<long>[] samples = await RunWorkersAsync(workers, duration, operation);
        double seconds = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        long[] all = [.. samples.SelectMany(sample => sample).Order()];
        if (all.Length == 0)
            throw new InvalidOperationException($"{name}: not one operation ended in {duration}.");
        Console.WriteLine(
            $"{name,-16} {workers,8} {all.Length / seconds,10:F0} {At(all, 0.50),8:F2} {At(all, 0.99),8:F2} "
            + $"{At(all, 1),8:F2} {all.Length,9}");
    }

    private static Task<List<long>[]> RunWorkersAsync(int workers, TimeSpan duration, Func<int, Task> operation)
    {
        long endsAt = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        return Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(async () =>
        {
            var samples = new List<long>();
            while (Stopwatch.GetTimestamp() < endsAt)
            {
                long startedAt = Stopwatch.GetTimestamp();
                await operation(worker);
                samples.Add(Stopwatch.GetTimestamp() - startedAt);
            }
            return samples;
        })));
    }

    /// <summary>Milliseconds at a quantile of sorted samples.</summary>
    private static double At(long[] sorted, double quantile) =>
        sorted[(int)Math.Min(sorted.Length - 1, quantile * sorted.Length)] * 1000.0 / Stopwatch.Frequency;

    private static bool TryParse(string[] args, out TimeSpan duration, out string? address)
    {
        duration = TimeSpan.FromSeconds(5);
        address = null;
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length)
                return false;
            if (args[i] == "--seconds" && int.TryParse(args[i + 1], out int seconds) && seconds is >= 1 and <= 600)
                duration = TimeSpan.FromSeconds(seconds);
            else if (args[i] == "--listen")
                address = args[i + 1];
            else
                return false;
        }
        return true;
    }
}
