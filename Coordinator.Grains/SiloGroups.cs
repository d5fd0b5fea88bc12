using Coordinator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// All groups of the cluster as this silo has them, over one database and one set of links. Invariant: as many as the
/// cluster was founded with, by their numbers (rule 21); all were founded together or none (rule 1).
/// </summary>
public sealed partial class SiloGroups : IAsyncDisposable
{
    /// <summary>Groups that are loaded at a time: enough to keep a database busy, and not to bury it.</summary>
    private const int LoadsMax = 32;

    private static readonly TimeSpan KeepInterval = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stopping = new();
    private readonly GroupsWithNews _toKeep;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private Task _keeping = Task.CompletedTask;
    private int _disposed;

    private SiloGroups(
        PeerDatabase database, SiloGroupOptions options, ClusterTransport? transport, TimeProvider time, ILogger log)
    {
        Storage = database;
        Options = options;
        _toKeep = new GroupsWithNews(options.Groups);
        _time = time;
        _log = log;
        _transport = transport;
        Groups = [.. Enumerable.Range(0, options.Groups).Select(group => new SiloGroup(group, this, transport, time, log))];
        Gateways = [.. Groups.Select(group => group.Gateway)];
        if (transport is null)
            return;
        // The silos ask each other about the cluster as a whole; any group's door to them does.
        Founding = new ClusterFounding(database, options, Groups[0].Others!, time, log);
        _facts = new FactsTeller(this, transport.Tell, time);
    }

    public Guid ClusterId { get; private set; }

    /// <summary>By their numbers.</summary>
    public IReadOnlyList<SiloGroup> Groups { get; }

    /// <summary>The doors to the groups, by their numbers.</summary>
    public IReadOnlyList<GroupGateway> Gateways { get; }

    /// <summary>Whether a linearizable request to any group would be served now.</summary>
    public bool IsReady => Gateways.All(gateway => gateway.IsReady);

    /// <summary>What the last check of the database found.</summary>
    public DatabaseHealth Database => Storage.Health;

    internal PeerDatabase Storage { get; }

    internal SiloGroupOptions Options { get; }

    internal SavingTurn SavingTurn { get; } = new();

    /// <summary>Null: the embedded host.</summary>
    internal ClusterFounding? Founding { get; }

    /// <summary>Whether all peers that the database has run here: a member of this silo's that does not is lost.</summary>
    internal bool AllRun { get; private set; }

    public SiloGroup this[int group] => Groups[group];

    /// <summary>The embedded host's: opens the database, founds the groups if it is new, and activates all peers.</summary>
    /// <exception cref="GroupStartException">Stored peers cannot be activated; the message says which and why.</exception>
    /// <exception cref="DatabaseRefusedException">The database's settings, version or schema are refused.</exception>
    public static async Task<SiloGroups> StartAsync(
        SiloGroupOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ILogger log = logs.CreateLogger<SiloGroup>();
        PeerDatabase database = await PeerDatabase.OpenAsync(options.Database, time, logs, cancellationToken);
        var groups = new SiloGroups(database, options, transport: null, time, log);
        try
        {
            StoredCluster cluster = await EmbeddedFounding.ReadOrBootstrapAsync(options, database, time, log, cancellationToken);
            groups.ClusterId = cluster.ClusterId;
            await groups.RunStoredAsync(cluster.Peers, cancellationToken);
            foreach (SiloGroup group in groups.Groups)
                group.BeginElection();
            return groups;
        }
        catch
        {
            await groups.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the peers, then lets go of the database. Open requests end with what is known of them.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        await _keeping;
        if (_spreader is not null)
            await _spreader.DisposeAsync();
        if (_facts is not null)
            await _facts.DisposeAsync();
        await Task.WhenAll(Groups.Select(group => group.DisposeAsync().AsTask()));
        await Storage.DisposeAsync();
    }

    /// <summary>For work on all groups, not too much of it at a time.</summary>
    internal static ParallelOptions Bounded(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = LoadsMax, CancellationToken = cancellationToken };

    private async Task RunStoredAsync(IReadOnlyList<StoredPeer> stored, CancellationToken cancellationToken)
    {
        ILookup<int, StoredPeer> peers = stored.ToLookup(peer => peer.Key.Group);
        ILookup<int, PeerAddition> additions =
            (await Storage.ReadAdditionsAsync(cancellationToken)).ToLookup(addition => addition.Key.Group);
        await Parallel.ForEachAsync(Groups, Bounded(cancellationToken), async (group, cancelled) =>
            await group.RunStoredAsync(peers[group.Group], additions[group.Group], cancelled));
        AllRun = true;
        TellNow();
        HostLog.Activated(_log, Groups.Count, stored.Count);
        _keeping = KeepAsync();
    }

    /// <summary>Something has happened to the group, or is known of it now. Never blocks.</summary>
    internal void HasNews(int group)
    {
        _toKeep.Tell(group);
        _facts?.HasNews(group);
    }

    /// <summary>One clock for all groups that have something to be done; when none has, it stands.</summary>
    private async Task KeepAsync()
    {
        var busy = new HashSet<SiloGroup>(Groups);
        try
        {
            while (true)
            {
                await Task.Delay(KeepInterval, _time, _stopping.Token);
                if (busy.Count == 0)
                    await _toKeep.WaitAsync(_stopping.Token);
                while (_toKeep.TryTake(out int group))
                    busy.Add(Groups[group]);
                busy.RemoveWhere(group => !group.Keep());
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Each group ends what it has begun.
        }
    }
}
