namespace Coordinator.Client;

/// <summary>From where to watch, and what to be told.</summary>
public sealed record WatchOptions
{
    /// <summary>
    /// The first revision that is wanted, as long ago as it is still kept: usually one more than the last that is known.
    /// Null: whatever is confirmed after the watch has begun.
    /// </summary>
    public long? FromRevision { get; init; }

    /// <summary>Each change comes with what was there before it.</summary>
    public bool WithPrevious { get; init; }

    /// <summary>
    /// Now and then an update without changes: everything up to its revision was told, or didn't concern the watch. It
    /// says how far a watch of quiet keys has come, and the first one, that it has begun.
    /// </summary>
    public bool ReportProgress { get; init; }
}
