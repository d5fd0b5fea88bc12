using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>A resource as the cluster knows it: each kind has names of its own.</summary>
internal readonly record struct ResourceKey(HoldingKind Kind, string Name);

/// <summary>What is wanted, apart from how long it is waited for. Valid: whoever makes one has checked it.</summary>
internal sealed record AcquireRequest
{
    public HoldingKind Kind { get; init; }

    /// <summary>All of them or none. Several only of locks.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    public bool IsShared { get; init; }

    /// <summary>Of a semaphore.</summary>
    public int Permits { get; init; }

    /// <summary>Of a semaphore: its permits in all.</summary>
    public int Limit { get; init; }

    /// <summary>Zero: without an end of its own.</summary>
    public TimeSpan MaxHold { get; init; }

    public TimeSpan LockDelay { get; init; }

    public string Label { get; init; } = "";

    public string TraceId { get; init; } = "";

    /// <summary>Whoever holds it in the same session may enter it once more.</summary>
    public bool IsReentrant { get; init; }

    /// <summary>Of an election: what the leader publishes.</summary>
    public string Value { get; init; } = "";

    /// <summary>A session may have many holdings of it, so that nobody has to stand in the client's own line.</summary>
    public bool IsCounted => Kind == HoldingKind.Semaphore;

    public ResourceKey KeyOf(int part) => new(Kind, Names[part]);

    public AcquireLock ToAcquireLock(long waitMicroseconds, bool isUpgrade)
    {
        AcquireLock acquire = new()
        {
            Kind = Kind,
            Name = Names[0],
            WaitUs = waitMicroseconds,
            Shared = IsShared && !isUpgrade,
            Permits = Permits,
            Limit = Limit,
            MaxHoldUs = (long)MaxHold.TotalMicroseconds,
            LockDelayUs = (long)LockDelay.TotalMicroseconds,
            Label = Label,
            TraceId = TraceId,
            Value = Value,
            Upgrade = isUpgrade,
            // The readers of one client share their session's holding: each enters it once more.
            Reentrant = !isUpgrade && (IsReentrant || IsShared),
            // One session serves all of the program's tasks: while one waits, another may release what it waits for.
            Concurrent = true,
        };
        foreach (string name in Names.Skip(1))
            acquire.Also.Add(new AlsoAcquire { Kind = Kind, Name = name, Shared = IsShared });
        return acquire;
    }
}
