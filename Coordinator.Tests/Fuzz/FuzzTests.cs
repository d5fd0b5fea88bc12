using System.Diagnostics;
using System.Globalization;
using System.Net;
using Coordinator.Client;
using Coordinator.Silo.Http;
using Coordinator.Tests.EndToEnd;
using Coordinator.Tests.Silo;
using Xunit.Abstractions;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// Hostile clients against a real silo, with a well-behaved one beside them. COORDINATOR_FUZZ sets the number of cases,
/// COORDINATOR_FUZZ_SEED the seed, COORDINATOR_FUZZ_CASE replays one (scripts/fuzz does all of that).
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int EverydayCases = 20_000;

    // Of the silo to its database: peers that come and go have it open more. Clients' that leak are many more than that.
    private const int DatabaseSocketsMax = 10;
    private const long GrowthBytesMax = 256L * 1024 * 1024;
    private static readonly TimeSpan P99Max = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettleMax = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Whatever_is_sent_the_silo_answers_by_name_and_serves_the_others()
    {
        int cases = RunSize.Of("COORDINATOR_FUZZ", EverydayCases);
        int seed = RunSize.Of("COORDINATOR_FUZZ_SEED", Random.Shared.Next(1_000_000));
        using SiloHome home = new();
        await using SiloProcess silo = SiloProcess.Start(home);
        await silo.ReadyAsync();
        await using Bystander bystander = await Bystander.StartAsync(home.Address);
        await using CoordinatorClient operating = new(home.Address.ToString());
        GroupKeeper keeper = new(operating);
        FuzzRun run = new(new FuzzTarget(home.Address, bystander.SessionId), Routes(), seed);
        if (Environment.GetEnvironmentVariable("COORDINATOR_FUZZ_CASE")?.Split(':') is [var kind, var number])
        {
            await run.ReplayAsync(int.Parse(number, CultureInfo.InvariantCulture), kind == "wire");
            AssertNothingFound(run);
            return;
        }

        SiloUse before = SiloUse.Of(silo.Pid);
        long startedAt = Stopwatch.GetTimestamp();
        using CancellationTokenSource keeping = new();
        Task kept = Task.Run(() => keeper.RunAsync(keeping.Token));
        await run.RunAsync(1, cases);
        TimeSpan took = Stopwatch.GetElapsedTime(startedAt);
        await keeping.CancelAsync();
        await kept;
        (TimeSpan p99, int requests) = await bystander.StopAsync();
        output.WriteLine($"seed {seed}: {cases} cases in {took.TotalSeconds:F0} s, {cases / took.TotalSeconds:F0}/s: {run.Counts}");
        AssertNothingFound(run);
        await keeper.RestoreAsync(SettleMax);
        SiloUse after = await SettledAsync(silo.Pid, before);
        output.WriteLine(
            $"bystander: {requests} requests, p99 {p99.TotalMilliseconds:F0} ms; resident {before.ResidentBytes >> 20} MiB before, "
            + $"{after.ResidentBytes >> 20} MiB after; {before.Sockets} sockets before, {after.Sockets} after; {keeper.Repairs} peers added or removed to have three again");

        Assert.True(bystander.HoldsItsLock, "The bystander's session has ended.");
        Assert.True(p99 < P99Max, $"The bystander's p99 is {p99}.");
        Assert.InRange(after.ResidentBytes - before.ResidentBytes, long.MinValue, GrowthBytesMax);
        Assert.InRange(after.Sockets, 0, before.Sockets + DatabaseSocketsMax);
        Assert.Equal("", string.Join('\n', Errors(silo.Output)));
        // A made-up index raises the alarm of a rollback, as it should; nothing else may.
        Assert.DoesNotMatch(@"crit: [^\[]*\[(?!3024\])", silo.Output);
        AssertBothWays(run.Counts);
        await silo.StopAsync();
    }

    [Fact]
    public async Task A_silo_that_fails_at_a_query_is_found_out()
    {
        await using HttpTestSilo silo = await HttpTestSilo.StartAsync();
        silo.Group.Querying = _ => throw new InvalidOperationException("broken");
        foreach (bool wire in new[] { false, true })
        {
            FuzzRun run = new(new FuzzTarget(silo.Address, sparedSession: 0), Routes(), seed: 1);
            for (int number = 1; number < 200 && run.Findings.Count == 0; number++)
                await run.ReplayAsync(number, wire);
            Assert.Contains("code Internal", Assert.Single(run.Findings), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(500, "", null)]
    [InlineData(404, "", null)]
    [InlineData(404, "not found", "text/html")]
    [InlineData(404, """{"code":"NoSuchCode","status":404,"detail":"x"}""", "application/problem+json")]
    [InlineData(500, """{"code":"Internal","status":500,"detail":"x"}""", "application/problem+json")]
    [InlineData(404, """{"code":"KeyNotFound","status":400,"detail":"x"}""", "application/problem+json")]
    [InlineData(404, """{"code":"KeyNotFound","status":404,"detail":""}""", "application/problem+json")]
    public void An_answer_without_a_name_is_found_out(int status, string body, string? type)
    {
        Dictionary<string, string> headers = [];
        if (type is not null)
            headers.Add("Content-Type", type);
        HttpAnswer answer = new((HttpStatusCode)status, headers, System.Text.Encoding.UTF8.GetBytes(body));
        Assert.Throws<FuzzFinding>(() => FuzzRules.Check(answer, isHead: false));
    }

    /// <summary>Each with what follows it, which says what it is.</summary>
    private static IEnumerable<string> Errors(string log)
    {
        string[] lines = log.Split('\n');
        return lines.Select((line, i) => (Line: line, At: i)).Where(one => one.Line.Contains(" fail: ", StringComparison.Ordinal))
            .Select(one => string.Join('\n', lines.Skip(one.At).Take(6)));
    }

    // The list is the router's own; nothing is asked of its gateway.
    private static IReadOnlyList<HttpRoute> Routes() => HttpTestSilo.CreateRouter().Routes;

    private static async Task<SiloUse> SettledAsync(int pid, SiloUse before)
    {
        long from = Stopwatch.GetTimestamp();
        while (true)
        {
            SiloUse now = SiloUse.Of(pid);
            bool settled = now.Sockets <= before.Sockets + DatabaseSocketsMax && now.ResidentBytes - before.ResidentBytes <= GrowthBytesMax;
            if (settled || Stopwatch.GetElapsedTime(from) > SettleMax)
                return now;
            await Task.Delay(100);
        }
    }

    private static void AssertNothingFound(FuzzRun run) =>
        Assert.True(run.Findings.Count == 0, string.Join("\n\n", run.Findings));

    private static void AssertBothWays(FuzzCounts counts)
    {
        foreach (string what in new[] { "HTTP 2xx", "HTTP 4xx", "HTTP closed", "wire answered", "wire refused", "wire left" })
            Assert.True(counts[what] > 0, $"Nothing was \"{what}\": the cases are one-sided.");
    }

}
