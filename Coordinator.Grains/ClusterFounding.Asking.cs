using Coordinator.Contracts;
using Coordinator.Grains.Storage;

namespace Coordinator.Grains;

/// <summary>
/// The part that asks the other silos, and founds a cluster with them. Invariant: only when all of them are reached, know of
/// none, and are told to make the same.
/// </summary>
internal sealed partial class ClusterFounding
{
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
        if (told.Select(one => RestoreAgreement.Between(one.Silo, one.Answer!.Restore, _restore))
            .FirstOrDefault(why => why is not null) is { } disagreement)
        {
            Wait(disagreement);
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
        (string, Guid)[] silos = [.. _silos.Select(silo => (silo, told[silo]))];
        _isFounder = true;
        if (options.Restore is { } restore)
            return RestoredBootstrap.Create(restore, silos, time.GetUtcNow());
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = GroupBootstrap.Create(
            options.Groups, silos, options.State, time.GetUtcNow());
        return GroupBootstrap.ToWire(clusterId, peers);
    }
}
