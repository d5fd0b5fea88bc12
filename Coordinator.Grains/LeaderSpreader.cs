using Coordinator.Contracts;
using Coordinator.Raft;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Hands leaders of this silo to silos that lead fewer, one after the other: some, then a look at what has come of it, and so
/// on. Invariants: nothing moves while any group lacks a voter, or a learner is behind: then a leader has better to do. A silo
/// is counted for what it says itself that it leads: until what was handed to it is heard back from it, it gets no more for it.
/// </summary>
internal sealed class LeaderSpreader : IAsyncDisposable
{
    /// <summary>While leaders move it looks so much oftener: the next one to give some up may be this silo.</summary>
    private const int LooksWhileMoving = 10;

    private readonly SpreadSilo _silo;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    public LeaderSpreader(SpreadSilo silo, TimeProvider time, ILogger log)
    {
        _silo = silo;
        _time = time;
        _log = log;
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        SpreadLook? before = null;
        TimeSpan pause = _silo.Interval;
        try
        {
            while (true)
            {
                await Task.Delay(Drawn(pause), _time, _stopping.Token);
                if (before is { Plan.IsUneven: false } && before.IsUpToDate(_silo))
                    continue;
                SpreadLook? now = SpreadLook.At(_silo);
                // Seen twice: a leader that was elected a moment ago is not sent on.
                bool goesOn = now is { Plan.IsUneven: true } && before is { Plan.IsUneven: true };
                bool isMoving = goesOn && (await MoveAsync(now!.Plan.Steps) | now.IsOther(before!));
                pause = isMoving ? _silo.Interval / LooksWhileMoving
                    : goesOn && 2 * pause < _silo.Interval ? 2 * pause : _silo.Interval;
                before = now;
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What was handed over goes its way without this silo.
        }
    }

    /// <summary>Not all silos at the same time, and not for ever in the same step.</summary>
    private static TimeSpan Drawn(TimeSpan pause) => pause * (0.8 + (0.4 * Random.Shared.NextDouble()));

    /// <summary>One after the other, up to the first that is not seen to happen.</summary>
    /// <returns>Whether any was moved.</returns>
    private async Task<bool> MoveAsync(IReadOnlyList<SpreadStep> steps)
    {
        bool any = false;
        foreach (SpreadStep step in steps)
        {
            SpreadGroup group = _silo.Groups[step.Group];
            if (!_silo.Groups.All(one => one.Picture().AllCaughtUp))
                break;
            if (!group.IsSettledHere())
                continue;
            if (!await MoveAsync(group, step))
                break;
            any = true;
        }
        return any;
    }

    private async Task<bool> MoveAsync(SpreadGroup group, SpreadStep step)
    {
        MemberFact? member = group.Picture().Members.FirstOrDefault(one => one.Voter && group.SiloOf(one) == step.Silo);
        if (member is null
            || await group.HandOver(_silo.HandOverLimit).ToAsync(new PeerId(member.PeerId), _stopping.Token) is not null)
            return false;
        HostLog.LeaderSpread(_log, step.Group, step.Silo, step.Difference);
        return true;
    }
}
