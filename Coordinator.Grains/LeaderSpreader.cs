using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Hands leaders of this silo to silos that lead fewer, one after the other with a pause in between. Invariant: nothing
/// moves while any group lacks a leader or a voter, or its members are changing: then a leader has better to do.
/// </summary>
internal sealed class LeaderSpreader : IAsyncDisposable
{
    /// <summary>Further apart than this, the pauses are shorter in proportion.</summary>
    private const int DifferenceAtFullPause = 10;

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
        SpreadStep? before = null;
        int difference = 0;
        try
        {
            while (true)
            {
                await Task.Delay(Pause(difference), _time, _stopping.Token);
                SpreadStep? step = Next(out bool isCalm);
                // Seen twice: a leader that was elected a moment ago is not sent on.
                if (step is { } now && before is not null)
                    await MoveAsync(now);
                before = step;
                // The leader that has just moved is no calm for a moment, and no reason to slow down.
                if (isCalm)
                    difference = step?.Difference ?? 0;
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What was handed over goes its way without this silo.
        }
    }

    /// <summary>Not all silos at the same time, and not for ever in the same step.</summary>
    private TimeSpan Pause(int difference) => _silo.Interval
        * DifferenceAtFullPause / Math.Max(DifferenceAtFullPause, difference) * (0.8 + (0.4 * Random.Shared.NextDouble()));

    private async Task MoveAsync(SpreadStep step)
    {
        SpreadGroup group = _silo.Groups[step.Group];
        if (group.Picture().Members.FirstOrDefault(member => member.Voter && group.SiloOf(member) == step.Silo) is not { } member)
            return;
        ClusterAnswer? refused = await group.HandOver(_silo.HandOverLimit).ToAsync(new PeerId(member.PeerId), _stopping.Token);
        if (refused is null)
            HostLog.LeaderSpread(_log, step.Group, step.Silo, step.Difference);
    }

    /// <param name="isCalm">Every group has a leader and all its voters, as far as this silo knows.</param>
    private SpreadStep? Next(out bool isCalm)
    {
        isCalm = false;
        var led = _silo.Able().ToDictionary(silo => silo, _ => 0, StringComparer.Ordinal);
        var movable = new List<MovableGroup>();
        foreach (SpreadGroup group in _silo.Groups)
        {
            GroupPicture picture = group.Picture();
            if (!picture.IsCalm || picture.Members.FirstOrDefault(member => member.PeerId == picture.Leader.Value) is not { } member
                || group.SiloOf(member) is not { } leader)
                return null;
            if (led.TryGetValue(leader, out int count))
                led[leader] = count + 1;
            if (group.Gateway.Leader()?.Status is { IsReady: true } status && IsSettled(status))
            {
                movable.Add(new MovableGroup(
                    picture.Group, [.. picture.Members.Where(one => one.Voter).Select(group.SiloOf).OfType<string>()]));
            }
        }
        isCalm = true;
        return LeaderSpread.Next(_silo.Id, led, movable);
    }

    private static bool IsSettled(ReplicaStatus status) =>
        status.AppliedIndex >= status.CommitIndex && status.Membership.ConfState is { VotersOutgoing.Count: 0, Learners.Count: 0 };
}
