using Coordinator.Contracts;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>
/// Tells the other silos what they have to know of this one, whenever it has changed, within a tenth of a second.
/// </summary>
/// <param name="read">The peer of this silo; null: it has none, or not yet.</param>
/// <param name="readServer">The PostgreSQL server of this silo; 0: not known yet.</param>
internal sealed class FactsTeller(
    int group, Func<ReplicaStatus?> read, Func<long> readServer, Action<SiloFacts> tell, TimeProvider time)
    : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private SiloFacts? _told;
    private bool _isStopping;
    private Task _telling = Task.CompletedTask;

    /// <summary>Empty: not known yet.</summary>
    public Guid ClusterId { get; set; }

    public void Start() => _telling = TellAsync();

    /// <summary>At once: nothing is to be handed over to this silo from here on.</summary>
    public void TellStopping()
    {
        _isStopping = true;
        Tell();
    }

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
            SiloFacts facts = new() { Stopping = _isStopping, Server = readServer() };
            if (ClusterId != Guid.Empty)
                facts.ClusterId = ByteString.CopyFrom(ClusterId.ToByteArray());
            if (read() is { } status)
                facts.Groups.Add(FactOf(status));
            if (facts.Equals(_told))
                return;
            _told = facts;
            tell(facts);
        }
    }

    private GroupFact FactOf(ReplicaStatus status)
    {
        PeerStatus told = PeerStatus.From(status);
        return new GroupFact
        {
            Group = group,
            PeerId = told.PeerId,
            LeaderPeerId = status.Leader.Value,
            Term = told.Term,
            StorageId = ByteString.CopyFrom((status.Membership.Find(status.Peer)?.StorageId ?? Guid.Empty).ToByteArray()),
            State = told.State,
            Serves = status.IsReady,
            AppliedIndex = told.AppliedIndex,
            LastIndex = told.LastIndex,
            CommitIndex = told.CommitIndex,
            SnapshotIndex = told.SnapshotIndex,
            Epoch = told.Epoch,
            Detail = told.Detail ?? "",
        };
    }
}
