using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// The part that knows other silos: hands what the links hear to the group that it is for. Its methods for that never block.
/// </summary>
public sealed partial class SiloGroups
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private readonly ClusterTransport? _transport;
    private readonly FactsTeller? _facts;
    private LeaderSpreader? _spreader;

    /// <summary>Of a silo of a cluster: opens the database, and makes it this silo's. Nothing runs yet.</summary>
    /// <exception cref="GroupStartException">
    /// The database is another's, or of a cluster with another number of groups, or has one where one is to be restored.
    /// </exception>
    /// <exception cref="DatabaseRefusedException">The database's settings, version or schema are refused.</exception>
    public static async Task<SiloGroups> OpenAsync(
        SiloGroupOptions options, ClusterTransport transport, TimeProvider time, ILoggerFactory logs,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(transport);
        ILogger log = logs.CreateLogger<SiloGroup>();
        PeerDatabase database = await PeerDatabase.OpenAsync(options.Database, time, logs, cancellationToken);
        var groups = new SiloGroups(database, options, transport, time, log);
        try
        {
            await groups.Founding!.ClaimAsync(cancellationToken);
            await groups.Founding.RefuseSecondRestoreAsync(cancellationToken);
            return groups;
        }
        catch
        {
            await groups.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// With the links begun: founds the cluster with the others, or finds it, and runs the peers that its database has. Ends
    /// as soon as they run, or it is certain that there are none; takes as long as it takes.
    /// </summary>
    /// <exception cref="GroupStartException">What is stored cannot be activated; the message says which and why.</exception>
    public async Task<Guid> JoinAsync(CancellationToken cancellationToken)
    {
        // Not before: until then there are no links.
        Storage.HealthChanged += _ => _facts!.TellNow();
        _facts!.Start();
        (ClusterId, IReadOnlyList<StoredPeer> peers) = await WithNoticeAsync(Founding!.SettleAsync(cancellationToken));
        foreach (SiloGroup group in Groups)
            group.Others!.ClusterId = ClusterId;
        _transport!.ClusterKnown(ClusterId);
        _facts.TellNow();
        OtherSilos others = Groups[0].Others!;
        int needed = peers.Count == 0 ? 0 : Options.Silos.Count / 2;
        while (others.Ids.Count(others.IsUp) < needed)
        {
            Notice($"It waits for links with {needed} of the other {others.Ids.Count} silos.");
            await Task.Delay(LookInterval, _time, cancellationToken);
        }
        foreach (SiloGroup group in Groups)
            group.Gateway.Notice = peers.Any(peer => peer.Key.Group == group.Group) ? null : "No peer of the group runs here.";
        await RunStoredAsync(peers, cancellationToken);
        foreach (SiloGroup group in Groups)
            group.BeginFirstElection();
        if (Groups.Count > 1)
            _spreader = new LeaderSpreader(Spread(), _time, _log);
        return ClusterId;
    }

    /// <summary>A peer's message. One that comes from another silo than its peer's is dropped.</summary>
    public void Received(string silo, Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        if (Find(envelope.Group) is { } group)
            group.Received(silo, envelope);
    }

    public void FactsReceived(string silo, SiloFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ILookup<int, GroupFact> told = facts.Groups.ToLookup(fact => fact.Group);
        foreach (SiloGroup group in Groups)
        {
            bool isNamed = !facts.Partial || told.Contains(group.Group) || facts.Emptied.Contains(group.Group);
            if (isNamed || group.Others!.IsOtherwise(silo, facts))
                group.FactsReceived(silo, facts, isNamed ? [.. told[group.Group]] : null);
        }
    }

    public void LinkUp(string silo)
    {
        foreach (SiloGroup group in Groups)
            group.LinkUp();
    }

    public void LinkLost(string silo)
    {
        foreach (SiloGroup group in Groups)
            group.LinkLost(silo);
    }

    /// <summary>Messages to that silo were dropped.</summary>
    public void Unreachable(string silo)
    {
        foreach (SiloGroup group in Groups)
            group.Unreachable(silo);
    }

    public void SnapshotFailed(Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        Find(envelope.Group)?.SnapshotFailed(envelope);
    }

    /// <summary>Works on what another silo asks for.</summary>
    public async Task<ForwardedAnswer> AnswerAsync(ForwardedRequest request, CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.RequestCase == ForwardedRequest.RequestOneofCase.Bootstrap)
            return new ForwardedAnswer { Bootstrap = Founding!.Answer(), Last = true };
        if (Find(request.Group) is { } group)
            return await group.AnswerAsync(request, abandoned);
        return new ForwardedAnswer
        {
            Failure = new Failure { Code = ErrorCode.InvalidRequest, Message = $"There is no group {request.Group}." },
            Last = true,
        };
    }

    /// <summary>Hands all leaderships over that are here; to be called while the links are up (rule 26).</summary>
    public async Task HandOverAsync()
    {
        _facts!.TellStopping();
        await Task.WhenAll(Groups.Select(group => group.HandOverAsync()));
    }

    /// <summary>Once all run: what a start does to one peer after the other is told at its end.</summary>
    internal void TellNow()
    {
        if (AllRun)
            _facts?.TellNow();
    }

    private SpreadSilo Spread() => new()
    {
        Id = Options.SiloId,
        Interval = Options.SpreadInterval,
        HandOverLimit = Options.LeaderTimeout,
        Able = () => Options.Silos.Select(silo => silo.SiloId)
            .Where(silo => silo == Options.SiloId || Groups[0].Others!.RunsAll(silo)),
        Groups = [.. Groups.Select(group => new SpreadGroup(group.Gateway, group.Picture, group.HandOver, member => member.Silo))],
    };

    private SiloGroup? Find(int group) => (uint)group < (uint)Groups.Count ? Groups[group] : null;

    private async Task<T> WithNoticeAsync<T>(Task<T> work)
    {
        while (!work.IsCompleted)
        {
            Notice(Founding!.Waiting.Length > 0 ? Founding.Waiting : null);
            await Task.WhenAny(work, Task.Delay(LookInterval, _time));
        }
        return await work;
    }

    private void Notice(string? notice)
    {
        foreach (GroupGateway gateway in Gateways)
            gateway.Notice = notice;
    }
}
