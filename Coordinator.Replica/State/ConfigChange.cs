namespace Coordinator.Replica.State;

/// <summary>
/// What one revision did to one key. Invariant: <see cref="Before"/> and <see cref="After"/> are not both null, and
/// <see cref="After"/> was made by this revision.
/// </summary>
internal sealed class ConfigChange(string key, long revision, long logTimeUs, ConfigRecord? before, ConfigRecord? after)
{
    public string Key { get; } = key;

    public long Revision { get; } = revision;

    public long LogTimeUs { get; } = logTimeUs;

    /// <summary>Null: the key was created.</summary>
    public ConfigRecord? Before { get; } = before;

    /// <summary>Null: the key was deleted.</summary>
    public ConfigRecord? After { get; } = after;

    /// <summary>
    /// The sum of the hashes of all changes up to this one since the history was begun here: the difference of two is
    /// the hash of what lies between, so that forgetting a million changes costs one subtraction.
    /// </summary>
    public ulong HashThrough { get; set; }

    /// <summary>As <see cref="HashThrough"/>, of <see cref="Bytes"/>.</summary>
    public long BytesThrough { get; set; }

    /// <summary>What the history has to keep for it: the key, and the value that is no longer the present one.</summary>
    public long Bytes => Key.Length + (Before is null ? 0 : Before.Value.Length + Before.ContentType.Length);

    public ulong Hash()
    {
        var hash = new StateHash(Before is null ? StateHash.Of(Key) : Before.HashWith(Key));
        hash.Add(Revision);
        hash.Add(LogTimeUs);
        return hash.Value;
    }
}
