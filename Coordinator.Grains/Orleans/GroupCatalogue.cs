using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Which peers a group has, kept where it can be read without the group; the key is the group's number. A hint: the
/// group's log is the truth, and what stands here may be late.
/// </summary>
[Alias("Coordinator.GroupCatalogue")]
internal interface IGroupCatalogueGrain : IGrainWithIntegerKey
{
    /// <summary>By the leader's silo: a <c>GroupDescription</c>.</summary>
    [Alias("Tell")]
    Task TellAsync([Immutable] byte[] description);

    /// <summary>As last told; null: never.</summary>
    [Alias("Get")]
    Task<byte[]?> GetAsync();
}

/// <summary>What is stored of a group.</summary>
internal sealed class CatalogueEntry
{
    /// <summary>A <c>GroupDescription</c> with the peers alone; null: nothing was told.</summary>
    public byte[]? Description { get; set; }

    /// <summary>Only what is so on every silo, so that nothing is written that is known already.</summary>
    public static byte[] Of(ReplicaStatus leader)
    {
        var description = new GroupDescription { Group = leader.Membership.Group, FeatureLevel = leader.FeatureLevel };
        foreach (PeerRecord peer in leader.Membership.Peers)
        {
            description.Peers.Add(new PeerDescription
            {
                PeerId = peer.Id.Value,
                Role = leader.Membership.ConfState.Voters.Contains(peer.Id) ? "voter" : "learner",
                Silo = peer.Silo,
            });
        }
        return description.ToByteArray();
    }
}

/// <inheritdoc cref="IGroupCatalogueGrain"/>
[GrainType("coordinator.catalogue")]
internal sealed class GroupCatalogueGrain(
    [PersistentState("catalogue", OrleansGroups.ProviderName)] IPersistentState<CatalogueEntry> state,
    OrleansGroups silo, ILogger<GroupCatalogueGrain> log) : Grain, IGroupCatalogueGrain, IRemindable
{
    private const string Reminder = "wake the peers";

    // Orleans allows no shorter one. It is the backstop for a cluster in which no silo looks after the groups; one serves all.
    private const int Reminded = 0;
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    public async Task TellAsync(byte[] description)
    {
        if (state.State.Description is not { } known || !known.AsSpan().SequenceEqual(description))
        {
            state.State.Description = description;
            await state.WriteStateAsync();
        }
        if (this.GetPrimaryKeyLong() == Reminded)
            await RemindAsync();
    }

    public Task<byte[]?> GetAsync() => Task.FromResult(state.State.Description);

    public Task ReceiveReminder(string reminderName, TickStatus status) => Parallel.ForEachAsync(
        silo.Elsewhere.Nowhere([])!, new ParallelOptions { MaxDegreeOfParallelism = OrleansGroups.LoadsMax },
        async (peer, cancelled) => await silo.BeginAsync(peer, cancelled));

    private async Task RemindAsync()
    {
        try
        {
            await this.RegisterOrUpdateReminder(Reminder, Period, Period);
        }
        catch (Exception e)
        {
            // An application may have no reminders; the silos that look after the groups go on without.
            OrleansLog.NoReminder(log, e.Message);
        }
    }
}
