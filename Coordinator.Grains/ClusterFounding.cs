using System.Diagnostics.CodeAnalysis;
using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// How a silo comes to its first peers, one of each group (rule 1). Before anything else each silo stores a random storage id. A cluster is founded
/// only by the silo whose id comes first, and only when all are reached and none knows of a cluster: the first state lists
/// the storage ids that they have told. Invariant: a peer is stored only by the database whose storage id is listed for it,
/// so a database that was lost later never brings the old peer back; and a stop at any point is taken up where it was.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore holds nothing unless its wait handle is used.")]
internal sealed partial class ClusterFounding(
    PeerDatabase database, SiloGroupOptions options, OtherSilos others, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(300);

    private readonly string[] _silos = [.. options.Silos.Select(silo => silo.SiloId).Order(StringComparer.Ordinal)];
    private readonly RestoreOrder? _restore = RestoredBootstrap.OrderOf(options.Restore);
    private readonly SemaphoreSlim _takingPart = new(1, 1);
    private volatile StoredSilo? _stored;
    private volatile ClusterBootstrap? _known;
    private bool _isFounder;

    /// <summary>What is missing for it to go on; for the status page.</summary>
    public string Waiting { get; private set; } = "";

    /// <summary>Makes the database this silo's.</summary>
    /// <exception cref="GroupStartException">It is another's, or of a cluster with another number of groups.</exception>
    public async Task ClaimAsync(CancellationToken cancellationToken)
    {
        StoredSilo silo = await database.ClaimForSiloAsync(options.SiloId, cancellationToken)
            ?? throw new GroupStartException(
                "The database holds the cluster of an embedded host. Give this silo an empty database, or start it with "
                + "Coordinator:Host = Embedded.");
        if (silo.SiloId != options.SiloId)
        {
            throw new GroupStartException(
                $"The database is that of silo {silo.SiloId}, and this is silo {options.SiloId}. "
                + "Correct Coordinator:Cluster:SiloId, or give this silo its own database.");
        }
        if (silo.Bootstrap is not null)
            _known = Checked(ClusterBootstrap.Parser.ParseFrom(silo.Bootstrap));
        _stored = silo;
    }

    /// <summary>
    /// Of a silo that is told to restore: its database is empty, or has its part of this very restore, and no group has been led
    /// by then. What a start has restored is not restored again.
    /// </summary>
    /// <exception cref="GroupStartException">It is otherwise.</exception>
    public async Task RefuseSecondRestoreAsync(CancellationToken cancellationToken)
    {
        if (_restore is null || _stored?.Bootstrap is null)
            return;
        if (RestoreAgreement.With(_known!, _restore, isListed: true) is { } why)
            throw new GroupStartException(why);
        if (!await database.IsUntouchedAsync(GroupBootstrap.FirstTerm, cancellationToken))
        {
            throw new GroupStartException(
                $"The database has cluster {new Guid(_known!.ClusterId.Span)} already, which an earlier start has made of these files: "
                + "start without --restore.");
        }
    }

    /// <summary>What another silo is told that asks.</summary>
    public BootstrapAnswer Answer()
    {
        var answer = new BootstrapAnswer { Bootstrap = _known, Groups = options.Groups, Restore = _restore };
        // Only what is stored is told: it must be the same after a restart.
        if (_stored is { } stored)
            answer.StorageId = ByteString.CopyFrom(stored.StorageId.ToByteArray());
        answer.Silos.AddRange(_silos);
        return answer;
    }

    /// <summary>Until the cluster is known, and this silo's part in it settled.</summary>
    /// <returns>The cluster's id, and the stored peers; none: this silo has none in it.</returns>
    public async Task<(Guid ClusterId, IReadOnlyList<StoredPeer> Peers)> SettleAsync(CancellationToken cancellationToken)
    {
        bool isInDoubt = false;
        while (true)
        {
            try
            {
                if (isInDoubt)
                    await ClaimAsync(cancellationToken);
                isInDoubt = false;
                if (await TrySettleAsync(cancellationToken) is { } settled)
                    return settled;
            }
            catch (Exception e) when (DatabaseConnections.IsFault(e))
            {
                // It may have been written all the same: what is stored is looked at again.
                isInDoubt = true;
                Wait($"The database cannot be used now: {e.Message}");
            }
            await Task.Delay(AskAgain, time, cancellationToken);
        }
    }

    /// <summary>Adds a peer, of any group: the first one that is added here makes the database take part in the cluster.</summary>
    /// <param name="add">Is told what to store together with the peer; null: the database has taken part.</param>
    public async Task TakePartAsync(
        Guid clusterId, Func<JoiningCluster?, Task> add, CancellationToken cancellationToken)
    {
        // Two groups may add their first peers here at the same time.
        await _takingPart.WaitAsync(cancellationToken);
        try
        {
            // As stored, not as remembered: an earlier try may have been written all the same.
            await ClaimAsync(cancellationToken);
            await add(_stored is { Bootstrap: null } stored
                ? new JoiningCluster(clusterId, options.Groups, stored with { Bootstrap = _known!.ToByteArray() })
                : null);
        }
        finally
        {
            _takingPart.Release();
        }
    }

    private async Task<(Guid, IReadOnlyList<StoredPeer>)?> TrySettleAsync(CancellationToken cancellationToken)
    {
        StoredSilo stored = _stored!;
        if (stored.Bootstrap is not null)
            return await ReadAsync(cancellationToken);
        ClusterBootstrap? bootstrap = _known ?? await AskAsync(cancellationToken);
        if (bootstrap is null)
            return null;
        var clusterId = new Guid(bootstrap.ClusterId.Span);
        IReadOnlyList<NewPeer> own = PartIn(Checked(bootstrap), stored);
        if (own.Count == 0)
        {
            _known = bootstrap;
            return (clusterId, []);
        }
        StoredSilo settled = stored with { Bootstrap = bootstrap.ToByteArray() };
        await Parallel.ForEachAsync(
            own, SiloGroups.Bounded(cancellationToken), async (peer, cancelled) =>
                await PeerActivation.PrepareAsync(peer.Key, peer.StorageId, database, options.Witness, cancelled));
        await database.BootstrapSiloAsync(clusterId, own, settled, cancellationToken);
        // Told only now that it is durable: the others build on it.
        _stored = settled;
        _known = bootstrap;
        if (_isFounder)
            HostLog.ClusterFounded(log, clusterId, options.Groups, options.Groups * _silos.Length);
        HostLog.TookPart(log, clusterId, own.Count);
        foreach (SnapshotFile file in options.Restore?.Files ?? [])
            HostLog.Restored(log, file.Header.Group, file.Header.ClusterId, file.Header.Index, bootstrap.Index);
        return await ReadAsync(cancellationToken);
    }

    /// <summary>This silo's first peers; empty: it has none, or those of a database that it has no longer.</summary>
    /// <exception cref="GroupStartException">It is told to restore something else than the cluster was made of.</exception>
    private IReadOnlyList<NewPeer> PartIn(ClusterBootstrap bootstrap, StoredSilo stored)
    {
        bool isListed = GroupBootstrap.Lists(bootstrap, stored);
        if (RestoreAgreement.With(bootstrap, _restore, isListed) is { } why)
            throw new GroupStartException(why);
        return isListed ? GroupBootstrap.PartOf(bootstrap, stored, options.Restore) : [];
    }

    private async Task<(Guid, IReadOnlyList<StoredPeer>)?> ReadAsync(CancellationToken cancellationToken)
    {
        StoredCluster cluster = await database.ReadClusterAsync(cancellationToken)
            ?? throw new GroupStartException("The database has lost its cluster's row. Restore it, or give this silo an empty database.");
        return cluster.Groups == options.Groups
            ? (cluster.ClusterId, cluster.Peers)
            : throw GroupStartException.OtherGroups(cluster.Groups, options.Groups, isStoredHere: true);
    }

    // Rule 21: names would belong to other groups than those that have their state.
    private ClusterBootstrap Checked(ClusterBootstrap bootstrap) => GroupBootstrap.GroupsOf(bootstrap) == options.Groups
        ? bootstrap
        : throw GroupStartException.OtherGroups(GroupBootstrap.GroupsOf(bootstrap), options.Groups, isStoredHere: false);

    private void Wait(string why)
    {
        if (why != Waiting)
            HostLog.FoundingWaits(log, why);
        Waiting = why;
    }
}
