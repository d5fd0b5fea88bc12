using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;

namespace Coordinator.Grains;

/// <summary>A place that peers of a group can be made in: its database, and who runs what is stored there.</summary>
internal interface IPeerPlace
{
    int Group { get; }

    Guid ClusterId { get; }

    /// <summary>As people know it, with what it is: "Silo a".</summary>
    string Title { get; }

    PeerDatabase Storage { get; }

    /// <summary>Whether the peer runs and has said what it was made for.</summary>
    bool IsMade(PeerId peer);

    /// <summary>A peer that is stored here and stays, where there can be but one: null: none, or there can be more.</summary>
    PeerId? Other(PeerPurpose purpose);

    /// <summary>Before the peer's rows are made (<see cref="PeerActivation.PrepareAsync"/>).</summary>
    Task PrepareAsync(Guid storageId, CancellationToken cancellationToken);

    /// <param name="add">Is told what to store together with the peer; null: the database has taken part in the cluster.</param>
    Task AddAsync(Func<JoiningCluster?, Task> add, CancellationToken cancellationToken);

    /// <summary>Begins to run a stored peer, unless it runs; it says from then on what it was made for.</summary>
    Task RunAsync(PeerAddition addition, CancellationToken cancellationToken);
}
