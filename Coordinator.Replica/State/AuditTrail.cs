using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>A holding that was ended against its holder's will.</summary>
internal sealed record ForcedReleaseRecord
{
    public required long EntryIndex { get; init; }

    public required long AtUs { get; init; }

    public required HoldingKind Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>0: a lease.</summary>
    public required long SessionId { get; init; }

    public required long Token { get; init; }

    public required string Label { get; init; }

    /// <summary>Who forced it.</summary>
    public required string Caller { get; init; }

    public required string Reason { get; init; }
}

/// <summary>The last forced releases, numbered from 1. Invariant: at most <paramref name="kept"/>, without a gap.</summary>
internal sealed class AuditTrail(int kept)
{
    private readonly Queue<ForcedReleaseRecord> _records = new();

    /// <summary>Of the first that is kept.</summary>
    public long FirstNumber { get; private set; } = 1;

    public int Count => _records.Count;

    public IEnumerable<ForcedReleaseRecord> Records => _records;

    public void Add(ForcedReleaseRecord record)
    {
        _records.Enqueue(record);
        if (_records.Count <= kept)
            return;
        _records.Dequeue();
        FirstNumber++;
    }

    /// <summary>From a snapshot, before the records.</summary>
    public void StartAt(long firstNumber) => FirstNumber = firstNumber;
}
