using Coordinator.Silo.Http;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// So many cases, from a seed, by several clients at the same time. A case is drawn from the seed and its own number
/// alone, so that it can be sent again without those before it.
/// </summary>
internal sealed class FuzzRun(FuzzTarget target, IReadOnlyList<HttpRoute> routes, int seed)
{
    private const int HttpLanes = 10;
    private const int WireLanes = 24;
    private const int FindingsMax = 5;
    private const int ShownCharactersMax = 2000;
    private const int SessionsAge = 5000;

    private readonly List<string> _findings = [];
    private int _number;
    private int _end;

    public FuzzCounts Counts { get; } = new();

    /// <summary>Each with what replays it.</summary>
    public IReadOnlyList<string> Findings => _findings;

    public async Task RunAsync(int first, int count)
    {
        await target.RenewSessionsAsync();
        _number = first - 1;
        _end = first + count;
        await Task.WhenAll(
        [
            .. Enumerable.Range(0, HttpLanes).Select(_ => Task.Run(() => RunLaneAsync(wire: false))),
            .. Enumerable.Range(0, WireLanes).Select(_ => Task.Run(() => RunLaneAsync(wire: true))),
        ]);
    }

    /// <summary>A single case, of either kind.</summary>
    public async Task ReplayAsync(int number, bool wire)
    {
        await target.RenewSessionsAsync();
        using HttpLane http = new(target);
        using WireLane frames = new(target);
        await TryAsync(number, wire, http, frames);
    }

    private async Task RunLaneAsync(bool wire)
    {
        HttpLane http = new(target);
        WireLane frames = new(target);
        for (int number; (number = Interlocked.Increment(ref _number)) < _end && _findings.Count < FindingsMax;)
        {
            if (number % SessionsAge == 0)
                await target.RenewSessionsAsync();
            if (await TryAsync(number, wire, http, frames))
                continue;
            http.Dispose();
            frames.Dispose();
            (http, frames) = (new HttpLane(target), new WireLane(target));
        }
        http.Dispose();
        frames.Dispose();
    }

    private async Task<bool> TryAsync(int number, bool wire, HttpLane http, WireLane frames)
    {
        Random random = new(unchecked((seed * 1_000_003) + number));
        HttpCase? request = wire ? null : new HttpCaseSource(random, target, routes).Draw();
        WireCase? messages = wire ? new WireCaseSource(random, target).Draw(frames.NextId) : null;
        try
        {
            await (wire ? frames.RunAsync(messages!, Counts) : http.RunAsync(request!, Counts));
            return true;
        }
        catch (Exception e)
        {
            string shown = request?.Text ?? messages!.ToString();
            lock (_findings)
                _findings.Add(
                    $"case {number} of seed {seed}: {(e is FuzzFinding ? e.Message : e.ToString())}\n"
                    + $"replay: COORDINATOR_FUZZ_SEED={seed} COORDINATOR_FUZZ_CASE={(wire ? "wire" : "http")}:{number} scripts/fuzz\n"
                    + shown[..Math.Min(shown.Length, ShownCharactersMax)]);
            return false;
        }
    }
}
