using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// What a silo is told to restore, beside the cluster that its databases say there is. Invariants: it takes part in no cluster
/// that was made of something else than it was told; what an earlier start has restored is never taken for this one's; and
/// who has no files makes no peers of a cluster that is made of some.
/// </summary>
/// <param name="elsewhere">Asks whether the cluster runs in other silos.</param>
/// <param name="notice">Is told what it waits for; null: for nothing any longer.</param>
internal sealed class OrleansRestore(
    ClusterRestore? restore, Func<Guid, CancellationToken, Task<RunsElsewhere>> elsewhere, Action<string?> notice, ILogger log)
{
    private bool _isOfThisStart;
    private string? _waiting;

    /// <summary>Null: it is told to restore nothing.</summary>
    public RestoreOrder? Order { get; } = RestoredBootstrap.OrderOf(restore);

    /// <summary>Of the cluster whose peers are all in this database.</summary>
    public static async Task<RestoreOrder?> ReadAsync(PeerDatabase database, CancellationToken cancellationToken) =>
        await database.ReadRestoredAsync(cancellationToken) is { } stored ? RestoreOrder.Parser.ParseFrom(stored) : null;

    /// <summary>No cluster is there: whoever makes it now, it is of this start.</summary>
    public void SawNone() => _isOfThisStart = true;

    /// <summary>Whether the silo takes part in the cluster; false: something else has to come first, and it says what.</summary>
    /// <param name="with">The databases that have their peers.</param>
    /// <param name="lacking">Those that are listed, and have none yet.</param>
    /// <exception cref="GroupStartException">It never takes part in this one.</exception>
    public async Task<bool> AgreesAsync(
        ClusterBootstrap cluster, IReadOnlyList<PeerDatabase> with, IReadOnlyList<string> lacking, CancellationToken cancellationToken)
    {
        if (RestoreAgreement.With(cluster, Order, isListed: false) is { } why)
            throw new GroupStartException(why);
        string? waits = Order is not null ? await WaitsForOthersAsync(cluster, with, lacking, cancellationToken)
            : cluster.Restore is not null && lacking.Count > 0 ? RestoreAgreement.Lacking(cluster, lacking)
            : null;
        if (waits != _waiting)
            notice(waits);
        if (waits is not null && waits != _waiting)
            OrleansLog.FoundingWaits(log, waits);
        _waiting = waits;
        return waits is null;
    }

    /// <summary>Of a cluster that is made of what this silo is told.</summary>
    private async Task<string?> WaitsForOthersAsync(
        ClusterBootstrap cluster, IReadOnlyList<PeerDatabase> with, IReadOnlyList<string> lacking, CancellationToken cancellationToken)
    {
        _isOfThisStart = _isOfThisStart || lacking.Count > 0 || !await IsLedAsync(with, cancellationToken);
        if (_isOfThisStart)
            return null;
        // The silo of whoever led it had found the cluster before that: if it lives it says so.
        var clusterId = new Guid(cluster.ClusterId.Span);
        RunsElsewhere found = await elsewhere(clusterId, cancellationToken);
        _isOfThisStart = found.Runs;
        return found switch
        {
            { Runs: true } => null,
            { Silent: { } silo } =>
                $"Cluster {clusterId} has been made of these files already, and silo {silo}, which may run it, does not answer. If no "
                + "silo runs, start this one without --restore.",
            _ => throw new GroupStartException(
                $"There is cluster {clusterId} already, which an earlier start has made of these files, and no other silo runs it: "
                + "start without --restore."),
        };
    }

    private static async Task<bool> IsLedAsync(IReadOnlyList<PeerDatabase> databases, CancellationToken cancellationToken)
    {
        foreach (PeerDatabase database in databases)
        {
            if (!await database.IsUntouchedAsync(GroupBootstrap.FirstTerm, cancellationToken))
                return true;
        }
        return false;
    }
}

/// <summary>What the other silos say of a cluster.</summary>
/// <param name="Runs">One of them has found it, and says so.</param>
/// <param name="Silent">If not, one that lives and does not answer; null: there is none.</param>
internal readonly record struct RunsElsewhere(bool Runs, string? Silent);
