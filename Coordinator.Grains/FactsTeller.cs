using Coordinator.Contracts;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>
/// Tells the other silos what they have to know of this one, whenever it has changed, within a tenth of a second.
/// </summary>
internal sealed class FactsTeller(SiloGroup group, Action<SiloFacts> tell, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private SiloFacts? _told;
    private bool _isStopping;
    private Task _telling = Task.CompletedTask;

    public void Start() => _telling = TellAsync();

    /// <summary>At once: nothing is to be handed over to this silo from here on.</summary>
    public void TellStopping()
    {
        _isStopping = true;
        Tell();
    }

    /// <summary>At once: another silo is about to build on it.</summary>
    public void TellNow() => Tell();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _telling;
        _stopping.Dispose();
    }

    private async Task TellAsync()
    {
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            do
            {
                Tell();
            }
            while (await timer.WaitForNextTickAsync(_stopping.Token));
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
            SiloFacts facts = new() { Stopping = _isStopping, AllRun = group.AllRun };
            if (group.ClusterId != Guid.Empty)
                facts.ClusterId = ByteString.CopyFrom(group.ClusterId.ToByteArray());
            GroupPicture picture = group.Picture();
            foreach (PeerLoop peer in group.Peers)
            {
                ReplicaStatus status = peer.Status;
                GroupFact fact = GroupFacts.Of(SiloGroup.Group, peer, status);
                fact.DeparturesKnown = status.IsReady && status.AppliedIndex >= status.CommitIndex
                    && picture.AreDeparturesKnown(status);
                facts.Groups.Add(fact);
            }
            if (facts.Equals(_told))
                return;
            _told = facts;
            tell(facts);
        }
    }
}
