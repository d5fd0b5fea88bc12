using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Replica.State;

/// <summary>A key's present value. Invariant: create revision ≤ modify revision ≤ the group's.</summary>
internal sealed class ConfigRecord
{
    public required ByteString Value { get; set; }

    public required string ContentType { get; set; }

    /// <summary>1 when the key was created, +1 with each put.</summary>
    public required long Version { get; set; }

    public required long CreateRevision { get; init; }

    public required long ModifyRevision { get; set; }

    public ulong HashWith(string key)
    {
        var hash = new StateHash(StateHash.Of(key));
        hash.Add(Value.Span);
        hash.Add(ContentType);
        hash.Add(Version);
        hash.Add(CreateRevision);
        hash.Add(ModifyRevision);
        return hash.Value;
    }
}

/// <summary>
/// The group's configuration: keys in ordinal order. Invariant: <see cref="Revision"/> rises by one with each change
/// and with nothing else.
/// </summary>
internal sealed class ConfigStore(long baseRevision, long revision)
{
    private const int ContentTypesKept = 256;

    // Only ever asked for a text that is at hand, never walked: no order of hashes shows.
    private readonly Dictionary<string, string> _contentTypes = new(StringComparer.Ordinal);

    private readonly SeededBug _planted = SeededBugs.Planted;
    private readonly SortedBlocks<string, ConfigRecord, OrdinalOrder> _records = new();

    public SortedBlocks<string, ConfigRecord, OrdinalOrder> Records => _records;

    /// <summary>The revision that the group began with; everything up to it is compacted (rule 19).</summary>
    public long BaseRevision { get; } = baseRevision;

    public long Revision { get; private set; } = revision;

    /// <summary>
    /// The sum of the hashes of all records: the same whatever order they came in, so that a change costs no more than
    /// the record that it changes.
    /// </summary>
    public ulong ContentsHash { get; private set; }

    public OperationResult Put(PutConfig put)
    {
        Revision++;
        if (_records.TryGet(put.Key, out ConfigRecord? record))
        {
            ContentsHash -= record.HashWith(put.Key);
            record.Value = put.Value;
            record.ContentType = OneInstance(put.ContentType);
            record.Version++;
            record.ModifyRevision = Revision;
            ContentsHash += record.HashWith(put.Key);
        }
        else
        {
            record = new ConfigRecord
            {
                Value = put.Value,
                ContentType = put.ContentType,
                Version = 1,
                CreateRevision = Revision,
                ModifyRevision = Revision,
            };
            Add(put.Key, record);
        }
        return new OperationResult(ErrorCode.Ok, Outcome.Done, Revision: Revision, Version: record.Version);
    }

    public OperationResult Delete(DeleteConfig delete)
    {
        if (!_records.TryGet(delete.Key, out ConfigRecord? record))
            return OperationResult.Refused(ErrorCode.KeyNotFound);
        _records.Remove(delete.Key);
        if (_planted != SeededBug.HashForgetsDeletes)
            ContentsHash -= record.HashWith(delete.Key);
        Revision++;
        return new OperationResult(ErrorCode.Ok, Outcome.Done, Revision: Revision);
    }

    public void Add(string key, ConfigRecord record)
    {
        record.ContentType = OneInstance(record.ContentType);
        _records.Add(key, record);
        ContentsHash += record.HashWith(key);
    }

    // A million keys share a few content types: one string each, not a million.
    private string OneInstance(string contentType)
    {
        if (_contentTypes.TryGetValue(contentType, out string? kept))
            return kept;
        if (_contentTypes.Count < ContentTypesKept)
            _contentTypes.Add(contentType, contentType);
        return contentType;
    }
}
