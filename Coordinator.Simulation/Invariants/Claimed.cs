using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>One acquire's wait for one resource, then its holding; as the entries' results tell.</summary>
internal sealed class Claimed
{
    public required HoldingView View { get; init; }

    /// <summary>The index of the acquire.</summary>
    public required long WaitIndex { get; init; }

    /// <summary>0: a lease.</summary>
    public required long SessionId { get; init; }

    public long RequestId { get; init; }

    /// <summary>Which of the request's resources this is, from 0.</summary>
    public int Position { get; init; }

    public bool IsShared { get; set; }

    /// <summary>Of a semaphore; otherwise 0.</summary>
    public int Permits { get; init; }

    public int Limit { get; init; }

    public bool IsUpgrade { get; init; }

    public bool IsConcurrent { get; init; }

    /// <summary>After the grant; 0: for ever.</summary>
    public long MaxHoldUs { get; init; }

    public long LockDelayUs { get; init; }

    /// <summary>Of an election: what its leader publishes.</summary>
    public string Value { get; set; } = "";

    /// <summary>Its holder was asked to let go.</summary>
    public bool IsAsked { get; set; }

    /// <summary>0: it waits.</summary>
    public long Token { get; set; }

    public long Floor { get; set; }

    /// <summary>Log time at which the holding ends by itself.</summary>
    public long EndsUs { get; set; } = long.MaxValue;

    public bool IsHeld => Token != 0;

    public override string ToString() =>
        $"{View} by session {SessionId}, request {RequestId}, entry {WaitIndex}{(IsHeld ? $", token {Token}" : "")}";

    public static IEnumerable<Claimed> Of(Command command, long index, Func<HoldingKind, string, HoldingView> view)
    {
        AcquireLock acquire = command.AcquireLock;
        HoldingView first = view(acquire.Kind, acquire.Name);
        yield return Of(command, index, 0, first, acquire.Shared, acquire.Permits, acquire.Limit);
        for (int i = 0; i < acquire.Also.Count; i++)
        {
            AlsoAcquire also = acquire.Also[i];
            yield return Of(command, index, i + 1, view(also.Kind, also.Name), also.Shared, also.Permits, also.Limit);
        }
    }

    private static Claimed Of(Command command, long index, int position, HoldingView view, bool shared, int permits, int limit) => new()
    {
        View = view,
        WaitIndex = index,
        SessionId = command.SessionId,
        RequestId = command.RequestId,
        Position = position,
        IsShared = shared,
        Permits = permits,
        Limit = limit,
        IsUpgrade = command.AcquireLock.Upgrade,
        IsConcurrent = command.AcquireLock.Concurrent,
        MaxHoldUs = command.AcquireLock.MaxHoldUs,
        LockDelayUs = command.AcquireLock.LockDelayUs,
        Value = command.AcquireLock.Value,
    };
}
