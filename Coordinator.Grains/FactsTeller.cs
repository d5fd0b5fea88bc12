using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>
/// Tells the other silos what they have to know of this one, whenever it has changed, within a tenth of a second. Groups
/// of which there is no news cost nothing. Invariant: what was told is never changed afterwards.
/// </summary>
internal sealed class FactsTeller(SiloGroups silo, Action<SiloFacts> tell, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly GroupsWithNews _changed = new(silo.Groups.Count);
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly GroupNews[] _news = [.. silo.Groups.Select(group => new GroupNews(group))];
    private readonly GroupFact[][] _facts = [.. silo.Groups.Select(_ => Array.Empty<GroupFact>())];
    private SiloFacts? _told;
    private bool _isStopping;
    private Task _telling = Task.CompletedTask;

    public void Start() => _telling = TellAsync();

    public void HasNews(int group) => _changed.Tell(group);

    /// <summary>At once: nothing is to be handed over to this silo from here on.</summary>
    public void TellStopping()
    {
        _isStopping = true;
        Tell();
    }

    /// <summary>At once: another silo is about to build on it, or it is news of no group.</summary>
    public void TellNow() => Tell();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _telling;
        _stopping.Dispose();
    }

    private async Task TellAsync()
    {
        try
        {
            while (true)
            {
                Tell();
                await Task.Delay(Interval, time, _stopping.Token);
                await _changed.WaitAsync(_stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The links' end says the rest.
        }
    }

    private void Tell()
    {
        lock (_gate)
        {
            // Before the peers are listed: one that is missing then is not among those that run.
            SiloFacts facts = new() { Stopping = _isStopping, AllRun = silo.AllRun, Server = silo.Storage.Health.System };
            if (silo.ClusterId != Guid.Empty)
                facts.ClusterId = ByteString.CopyFrom(silo.ClusterId.ToByteArray());
            bool changed = _told is null || _told.Stopping != facts.Stopping || _told.AllRun != facts.AllRun
                || _told.Server != facts.Server || _told.ClusterId != facts.ClusterId;
            while (_changed.TryTake(out int group))
                changed |= _news[group].Take() && Renew(group);
            if (!changed)
                return;
            foreach (GroupFact[] own in _facts)
                facts.Groups.Add(own);
            _told = facts;
            tell(facts);
        }
    }

    /// <summary>What is told as before stays the same object: a link sees by that what it has said already.</summary>
    private bool Renew(int number)
    {
        SiloGroup group = silo.Groups[number];
        GroupFact[] facts = [.. group.Picture().Here];
        if (facts.SequenceEqual(_facts[number]))
            return false;
        _facts[number] = facts;
        return true;
    }
}
