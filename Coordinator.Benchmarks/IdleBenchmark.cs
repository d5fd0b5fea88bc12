using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Coordinator.Benchmarks;

/// <summary>
/// What a cluster costs in which nothing happens: three silos with a PostgreSQL each, once with one group and once with many.
/// </summary>
internal static class IdleBenchmark
{
    private const int Silos = 3;

    /// <summary>Until the start's work is done: the groups have come to rest, and the databases have tidied up.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan SpreadTimeMax = TimeSpan.FromMinutes(10);

    public static async Task<int> RunAsync(string[] args)
    {
        (int groups, int seconds) = (1000, 60);
        for (int i = 0; i < args.Length; i += 2)
        {
            bool isNumber = i + 1 < args.Length
                && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 1024
                && (args[i] == "--groups" ? groups = number : args[i] == "--seconds" ? seconds = number : 0) != 0;
            if (!isNumber)
            {
                Console.Error.WriteLine("idle takes --groups N and --seconds N (1 to 1024 each).");
                return 2;
            }
        }
        if (!OperatingSystem.IsLinux())
        {
            Console.Error.WriteLine("idle reads /proc, which only Linux has.");
            return 2;
        }
        Console.WriteLine($"{"groups",8} {"start s",9} {"spread s",9} {"silos % of a core",19} {"PostgreSQL % of a core",23} {"MiB a silo",12}");
        double one = await MeasureAsync(1, TimeSpan.FromSeconds(seconds));
        double many = await MeasureAsync(groups, TimeSpan.FromSeconds(seconds));
        if (groups > 1)
            Console.WriteLine($"{(many - one) * 1024 / (groups - 1):F0} KiB for each peer, of which each silo has one a group");
        return 0;
    }

    /// <returns>Resident MiB of a silo, on average.</returns>
    private static async Task<double> MeasureAsync(int groups, TimeSpan duration)
    {
        List<SiloUnderTest> silos = [];
        try
        {
            long startedAt = Stopwatch.GetTimestamp();
            silos.AddRange(Begin(groups));
            await Task.WhenAll(silos.Select(silo => silo.ReadyAsync()));
            double start = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
            if (groups > 1)
                await SpreadAsync(silos[0]);
            double spread = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
            await Task.Delay(SettleTime);

            int[][] servers = [.. silos.Select(silo => ProcessTimes.Tree(int.Parse(File.ReadLines(silo.PostmasterFile).First(), CultureInfo.InvariantCulture)))];
            long from = Stopwatch.GetTimestamp();
            TimeSpan silosBefore = ProcessTimes.Of(silos.Select(silo => silo.Pid)), serversBefore = ProcessTimes.Of(servers.SelectMany(pids => pids));
            await Task.Delay(duration);
            TimeSpan passed = Stopwatch.GetElapsedTime(from);
            TimeSpan ofSilos = ProcessTimes.Of(silos.Select(silo => silo.Pid)) - silosBefore;
            TimeSpan ofServers = ProcessTimes.Of(servers.SelectMany(pids => pids)) - serversBefore;
            double mebibytes = silos.Average(silo => ProcessTimes.ResidentBytes(silo.Pid)) / (1 << 20);
            Console.WriteLine(
                $"{groups,8} {start,9:F1} {spread,9:F1} {100 * (ofSilos / passed),19:F2} {100 * (ofServers / passed),23:F2} {mebibytes,12:F0}");
            return mebibytes;
        }
        finally
        {
            await Task.WhenAll(silos.Select(silo => silo.DisposeAsync().AsTask()));
        }
    }

    /// <summary>Until no silo leads two groups more than another: then no leader is moved any more.</summary>
    private static async Task SpreadAsync(SiloUnderTest silo)
    {
        using var http = new HttpClient();
        using var patience = new CancellationTokenSource(SpreadTimeMax);
        while (true)
        {
            using JsonDocument status = JsonDocument.Parse(await http.GetStringAsync(new Uri(silo.Address + "/v1/status"), patience.Token));
            int[] leads = [.. status.RootElement.GetProperty("silos").EnumerateArray().Select(one => one.GetProperty("leads").GetInt32())];
            if (leads.Max() - leads.Min() < 2)
                return;
            await Task.Delay(TimeSpan.FromSeconds(1), patience.Token);
        }
    }

    private static IEnumerable<SiloUnderTest> Begin(int groups)
    {
        (string Url, string Link)[] addresses = [.. Enumerable.Range(0, Silos).Select(_ =>
            ($"http://127.0.0.1:{SiloUnderTest.FreePort()}", $"ws://127.0.0.1:{SiloUnderTest.FreePort()}"))];
        string[] common =
        [
            "--Coordinator:Host", "Cluster", "--Coordinator:Groups", $"{groups}",
            "--Coordinator:Cluster:Secret", "known to this benchmark alone",
            .. addresses.SelectMany((address, i) => (string[])
            [
                $"--Coordinator:Cluster:Silos:{i}:Id", $"silo{i}", $"--Coordinator:Cluster:Silos:{i}:Url", address.Url,
                $"--Coordinator:Cluster:Silos:{i}:Link", address.Link,
            ]),
        ];
        return addresses.Select((address, i) => SiloUnderTest.Begin(address.Url, [.. common, "--Coordinator:Cluster:SiloId", $"silo{i}"]));
    }
}
