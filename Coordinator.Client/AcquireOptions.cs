using System.Diagnostics;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// How something is acquired. A <see cref="TimeSpan"/> in its place is the <see cref="Wait"/> alone.
/// </summary>
public sealed record AcquireOptions
{
    /// <summary>
    /// At most 1 day; zero: one try; <see cref="Timeout.InfiniteTimeSpan"/>: as long as it takes. Null: infinite for an
    /// Acquire, one try for a TryAcquire.
    /// </summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>
    /// The cluster takes it back so long after the grant, at most 1 day; then LostToken is cancelled. Zero: it is held
    /// until it is released or the session ends.
    /// </summary>
    public TimeSpan MaxHold { get; init; }

    /// <summary>
    /// If the holder's session expires, nobody gets it for so long, at most 1 minute: time for what the dead holder sent
    /// to arrive. Not after a release.
    /// </summary>
    public TimeSpan LockDelay { get; init; }

    /// <summary>The holder's own words, shown to those who wait: at most 1 KiB.</summary>
    public string Label { get; init; } = "";

    /// <summary>Shown beside the label. By default the current <see cref="Activity"/>'s id, if there is one.</summary>
    public string? TraceId { get; init; }

    /// <summary>
    /// Of a lock: if this client's session holds it already, it is entered once more, and is free when all its handles
    /// are released. Then it keeps no two tasks of this client apart.
    /// </summary>
    public bool IsReentrant { get; init; }

    public static implicit operator AcquireOptions(TimeSpan wait) => FromTimeSpan(wait);

    /// <summary>Only the wait.</summary>
    public static AcquireOptions FromTimeSpan(TimeSpan wait) => new() { Wait = wait };

    internal TimeSpan WaitOr(TimeSpan otherwise) => Wait ?? otherwise;

    internal AcquireRequest ToRequest(HoldingKind kind, params IReadOnlyList<string> names) => new()
    {
        Kind = kind,
        Names = names,
        MaxHold = MaxHold,
        LockDelay = LockDelay,
        Label = Label ?? "",
        TraceId = TraceId ?? CurrentTraceId,
        IsReentrant = IsReentrant,
    };

    // What somebody else has made of the current activity's id is no reason to refuse a lock.
    internal static string CurrentTraceId =>
        Activity.Current?.Id is { } id && ResourceName.LabelProblem(id) is null ? id : "";
}
