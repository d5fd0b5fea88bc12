using System.Diagnostics.CodeAnalysis;
using Coordinator.Contracts;
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
internal sealed class ClusterFounding(
    PeerDatabase database, SiloGroupOptions options, OtherSilos others, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(300);

    private readonly string[] _silos = [.. options.Silos.Select(silo => silo.SiloId).Order(StringComparer.Ordinal)];
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

    /// <summary>What another silo is told that asks.</summary>
    public BootstrapAnswer Answer()
    {
        var answer = new BootstrapAnswer { Bootstrap = _known, Groups = options.Groups };
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
        IReadOnlyList<NewPeer> own = GroupBootstrap.PeersOf(Checked(bootstrap), options.SiloId);
        if (own.Count == 0 || own.Any(peer => peer.StorageId != GroupBootstrap.StorageIdOf(stored.StorageId, peer.Key.Group)))
        {
            _known = bootstrap;
            return (clusterId, []);
        }
        StoredSilo settled = stored with { Bootstrap = bootstrap.ToByteArray() };
        await Parallel.ForEachAsync(
            own, SiloGroups.Bounded(cancellationToken), async (peer, cancelled) =>
                await PeerActivation.PrepareAsync(peer.StorageId, database, options.Witness, cancelled));
        await database.BootstrapSiloAsync(clusterId, own, settled, cancellationToken);
        // Told only now that it is durable: the others build on it.
        _stored = settled;
        _known = bootstrap;
        if (_isFounder)
            HostLog.ClusterFounded(log, clusterId, options.Groups, options.Groups * _silos.Length);
        HostLog.TookPart(log, clusterId, own.Count);
        return await ReadAsync(cancellationToken);
    }

    private async Task<(Guid, IReadOnlyList<StoredPeer>)?> ReadAsync(CancellationToken cancellationToken)
    {
        StoredCluster cluster = await database.ReadClusterAsync(cancellationToken)
            ?? throw new GroupStartException("The database has lost its cluster's row. Restore it, or give this silo an empty database.");
        return cluster.Groups == options.Groups
            ? (cluster.ClusterId, cluster.Peers)
            : throw GroupStartException.OtherGroups(cluster.Groups, options.Groups, isStoredHere: true);
    }

    /// <summary>Null: nobody knows a cluster yet, and this silo may not found one now.</summary>
    private async Task<ClusterBootstrap?> AskAsync(CancellationToken cancellationToken)
    {
        (string Silo, BootstrapAnswer? Answer)[] told = await Task.WhenAll(
            others.Ids.Select(async silo => (silo, await AskAsync(silo, cancellationToken))));
        ClusterBootstrap[] known = [.. told.Select(one => one.Answer?.Bootstrap).OfType<ClusterBootstrap>()];
        if (known.Select(one => one.ClusterId).Distinct().Count() > 1)
        {
            Wait("The other silos belong to two different clusters: check which of them are configured with this one's name and secret.");
            return null;
        }
        if (known.Length > 0)
            return known[0];
        if (told.Where(one => one.Answer is null).Select(one => one.Silo).ToArray() is { Length: > 0 } missing)
        {
            Wait($"No silo that is reached knows the cluster; if it is new, it is founded when all of its silos are; missing: "
                + $"{string.Join(", ", missing)}.");
            return null;
        }
        if (told.FirstOrDefault(one => !one.Answer!.Silos.SequenceEqual(_silos)) is { Answer: { } differing } other)
        {
            Wait($"Silo {other.Silo} is configured with the silos {string.Join(", ", differing.Silos)}, this one with "
                + $"{string.Join(", ", _silos)}: they have to be the same on all.");
            return null;
        }
        if (told.FirstOrDefault(one => Math.Max(one.Answer!.Groups, 1) != options.Groups) is { Answer: { } counting } differs)
        {
            Wait($"Silo {differs.Silo} is configured with Coordinator:Groups = {Math.Max(counting.Groups, 1)}, this one with "
                + $"{options.Groups}: it has to be the same on all.");
            return null;
        }
        if (_silos.Length % 2 == 0)
        {
            Wait($"A new cluster is founded with an odd number of silos, and {_silos.Length} are configured: an even one "
                + "survives no more failures. Further silos can be added later.");
            return null;
        }
        if (_silos[0] == options.SiloId)
            return Found(told.ToDictionary(one => one.Silo, one => new Guid(one.Answer!.StorageId.Span)));
        Wait($"Silo {_silos[0]} founds the cluster.");
        return null;
    }

    /// <summary>Null: it is not reached, or not ready to tell.</summary>
    private async Task<BootstrapAnswer?> AskAsync(string silo, CancellationToken cancellationToken)
    {
        ForwardedAnswer answer = await others.AskAsync(
            silo, new ForwardedRequest { Bootstrap = new BootstrapQuestion() }, cancellationToken);
        return answer.Bootstrap is { StorageId.Length: 16 } told ? told : null;
    }

    private ClusterBootstrap Found(Dictionary<string, Guid> told)
    {
        told[options.SiloId] = _stored!.StorageId;
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = GroupBootstrap.Create(
            options.Groups, [.. _silos.Select(silo => (silo, told[silo]))], options.State, time.GetUtcNow());
        _isFounder = true;
        return GroupBootstrap.ToWire(clusterId, peers);
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
