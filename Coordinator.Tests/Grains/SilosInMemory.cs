using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Grains;

/// <summary>
/// Silos of a cluster in one process, on databases of their own, with links that are method calls and can be cut.
/// </summary>
internal sealed class SilosInMemory(PostgresServer server)
{
    public static readonly string[] Ids = ["a", "b", "c"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("silos-");
    private readonly ConcurrentDictionary<string, SiloGroups> _up = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Task<Guid> Joined, CancellationTokenSource Stopping)> _joining = [];
    private readonly Dictionary<string, string> _databases = [];
    private readonly ConcurrentDictionary<string, SiloFacts> _told = new(StringComparer.Ordinal);

    /// <summary>In place of what the asked silo would say; null: let it say so itself.</summary>
    public Func<string, string, ForwardedRequest, ForwardedAnswer?> Interfere { get; set; } = (_, _, _) => null;

    /// <summary>From now on nobody else learns what the cluster is, or that it has been founded.</summary>
    public void TellOfClusterOnly(string founder) => Interfere = (own, _, request) =>
        own != founder && request.Bootstrap is not null ? Failure(ErrorCode.NoQuorum) : null;

    /// <summary>When the asked silo has answered, and before the asker hears it: what that hears; null: the answer.</summary>
    public Func<string, string, ForwardedRequest, ForwardedAnswer?> Swallow { get; set; } = (_, _, _) => null;

    /// <summary>Of all silos that are opened from then on, as is the next one.</summary>
    public TimeSpan? ReplaceLostPeersAfter { get; set; }

    /// <summary>Whether a message of that silo's is lost on its way.</summary>
    public Func<string, Envelope, bool> Lose { get; set; } = (_, _) => false;

    public TimeSpan LeaderTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What each silo is configured with.</summary>
    public Func<string, string[]> Configured { get; set; } = _ => Ids;

    public ILoggerFactory Logs { get; set; } = NullLoggerFactory.Instance;

    /// <summary>The operator vouches for the databases.</summary>
    public bool TrustStorage { get; set; }

    /// <summary>How many groups each silo is configured with.</summary>
    public Func<string, int> Groups { get; set; } = _ => 1;

    /// <summary>What each silo is to make a new cluster of.</summary>
    public Func<string, ClusterRestore?> Restore { get; set; } = _ => null;

    public TimeSpan SpreadInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Zero: as long as it is without a word.</summary>
    public TimeSpan FirstTurn { get; set; }

    /// <summary>More of them where a busy machine must not depose a leader.</summary>
    public int ElectionTicks { get; set; } = 10;

    /// <summary>Group 0 there.</summary>
    public SiloGroup this[string silo] => _up[silo][0];

    public SiloGroups On(string silo) => _up[silo];

    public bool IsUp(string silo) => _up.ContainsKey(silo);

    public Task<Guid> Joined(string silo) => _joining[silo].Joined;

    public async Task StartAsync(params string[] silos)
    {
        foreach (string silo in silos)
        {
            SiloGroups group = await OpenAsync(silo);
            _up[silo] = group;
            foreach (string other in _up.Keys.Where(other => other != silo))
            {
                _up[other].LinkUp(silo);
                if (_told.TryGetValue(other, out SiloFacts? facts))
                    group.FactsReceived(other, facts);
            }
            var stopping = new CancellationTokenSource();
            _joining[silo] = (group.JoinAsync(stopping.Token), stopping);
        }
    }

    public async Task<SiloGroups> OpenAsync(string silo) => await SiloGroups.OpenAsync(
        new SiloGroupOptions
        {
            Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(await DatabaseOfAsync(silo)) },
            SiloId = silo,
            Groups = Groups(silo),
            SpreadInterval = SpreadInterval,
            FirstTurn = FirstTurn,
            Silos = [.. Configured(silo).Select(id => new ClusterMember(id, $"http://{id}"))],
            Replica = new ReplicaOptions
            {
                TickUs = 20_000,
                ElectionTicks = ElectionTicks,
                LazyCommitUs = 20_000,
                WitnessIntervalUs = 20_000,
                QuiesceElections = 2,
            },
            Witness = new WitnessOptions { Folder = WitnessFolderOf(silo), TrustStorage = TrustStorage },
            ReplaceLostPeersAfter = ReplaceLostPeersAfter,
            LeaderTimeout = LeaderTimeout,
            Restore = Restore(silo),
        },
        TransportOf(silo), TimeProvider.System, Logs, CancellationToken.None);

    public async Task<string> DatabaseOfAsync(string silo)
    {
        if (!_databases.TryGetValue(silo, out string? database))
            _databases[silo] = database = await server.CreateDatabaseAsync();
        return database;
    }

    public string WitnessFolderOf(string silo) => Path.Combine(_folder.FullName, silo);

    /// <summary>As a kill would: what it has not stored is gone.</summary>
    public async Task StopAsync(params string[] silos)
    {
        foreach (string silo in silos)
        {
            if (!_up.TryRemove(silo, out SiloGroups? group))
                continue;
            foreach (SiloGroups other in _up.Values)
                other.LinkLost(silo);
            (Task<Guid> joined, CancellationTokenSource stopping) = _joining[silo];
            await stopping.CancelAsync();
            await ((Task)joined).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await group.DisposeAsync();
            _told.TryRemove(silo, out _);
            stopping.Dispose();
        }
    }

    /// <summary>Another, empty database from the next start on.</summary>
    public async Task LoseDatabaseAsync(string silo)
    {
        await server.DropDatabaseAsync(_databases[silo]);
        _databases.Remove(silo);
    }

    public async Task EndAsync()
    {
        await StopAsync([.. _up.Keys]);
        foreach (string database in _databases.Values)
            await server.DropDatabaseAsync(database);
        _folder.Delete(recursive: true);
    }

    private ClusterTransport TransportOf(string own) => new()
    {
        Send = (silo, envelope) =>
        {
            if (_up.TryGetValue(silo, out SiloGroups? other) && _up.ContainsKey(own) && !Lose(own, envelope))
                other.Received(own, envelope);
        },
        IsUp = _up.ContainsKey,
        AskAsync = (silo, request, abandoned) => AskAsync(own, silo, request, abandoned),
        Tell = facts =>
        {
            _told[own] = facts;
            foreach ((string silo, SiloGroups other) in _up)
            {
                if (silo != own)
                    other.FactsReceived(own, facts);
            }
        },
        ClusterKnown = _ => { },
    };

    private async Task<ForwardedAnswer> AskAsync(
        string own, string silo, ForwardedRequest request, CancellationToken abandoned)
    {
        if (Interfere(own, silo, request) is { } answer)
            return answer;
        if (!_up.TryGetValue(silo, out SiloGroups? other))
            return Failure(ErrorCode.NoQuorum);
        ForwardedAnswer told = await other.AnswerAsync(request, abandoned);
        return Swallow(own, silo, request) ?? told;
    }

    public static ForwardedAnswer Failure(ErrorCode code) =>
        new() { Failure = new Failure { Code = code, Message = "by the test" }, Last = true };
}
