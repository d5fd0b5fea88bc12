using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Silo.Links;

/// <summary>
/// What a silo's links tell the host. Called on the links' own threads, for one silo one at a time between its
/// <see cref="LinkUp"/> and its <see cref="LinkLost"/>: none may block, or the link stands still.
/// </summary>
public sealed record LinkHandlers
{
    /// <summary>A whole message of a peer on that silo, snapshots included.</summary>
    public required Action<string, Envelope> Received { get; init; }

    /// <summary>Before anything is received from that silo.</summary>
    public Action<string> LinkUp { get; init; } = _ => { };

    /// <summary>
    /// At once, when its connection is closed or it is taken for dead: who follows a leader there pre-votes (rule 26).
    /// </summary>
    public Action<string> LinkLost { get; init; } = _ => { };

    /// <summary>Messages to that silo were dropped, since the queue was full or there is no link.</summary>
    public Action<string> Unreachable { get; init; } = _ => { };

    /// <summary>This snapshot did not arrive: to be told to the replica that sent it.</summary>
    public Action<Envelope> SnapshotFailed { get; init; } = _ => { };

    public Action<string, SiloFacts> FactsReceived { get; init; } = (_, _) => { };

    /// <summary>
    /// That silo, or whoever listens at its address, refused this one, or was refused by it. Only a refusal that knows
    /// the cluster's secret is told here: with <see cref="LinkRefusal.SiloIdTaken"/> this process must not go on (rule 27).
    /// </summary>
    public Action<string, LinkRefusal, string> Refused { get; init; } = (_, _, _) => { };

    /// <summary>Works on a request that the silo forwarded. Runs apart from the link's reading.</summary>
    public Func<ForwardedCall, Task> Answer { get; init; } = call =>
    {
        call.Fail(ErrorCode.UnknownPath, "This silo takes no forwarded requests.");
        return Task.CompletedTask;
    };
}
